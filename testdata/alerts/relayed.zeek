#separator \x09
#set_separator	,
#empty_field	(empty)
#unset_field	-
#path	intel
#open	2026-11-24-02-30-00
#fields	ts	uid	id.orig_h	id.orig_p	id.resp_h	id.resp_p	seen.indicator	seen.indicator_type	seen.where	seen.node	matched	sources	fuid	file_mime_type	file_desc
#types	time	string	addr	port	addr	port	string	enum	enum	string	set[enum]	set[string]	string	string	string
1795487077.000000	-	-	-	-	-	cdn.evil.example	Intel::DOMAIN	Log::IN_TEXT	sensor-1	Intel::DOMAIN	otx	-	-	-
#close	2026-11-24-02-31-00
