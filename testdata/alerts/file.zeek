#separator \x09
#set_separator	,
#empty_field	(empty)
#unset_field	-
#path	intel
#open	2026-11-24-02-30-00
#fields	ts	uid	id.orig_h	id.orig_p	id.resp_h	id.resp_p	seen.indicator	seen.indicator_type	seen.where	seen.node	matched	sources	fuid	file_mime_type	file_desc
#types	time	string	addr	port	addr	port	string	enum	enum	string	set[enum]	set[string]	string	string	string
1795487077.251547	CvRZbEuN0000	10.0.0.5	50102	198.51.100.7	80	9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08	Intel::FILE_HASH	Files::IN_HASH	sensor-1	Intel::FILE_HASH	bazaar	-	-	http://cdn.evil.example/get/invoice.exe?id=7
#close	2026-11-24-02-31-00
