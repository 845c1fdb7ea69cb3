# The texts of the pages. Each language has the same messages.

and = and
by = by
changed = changed
copy = Copy
copied = Copied
send = Send
cancel = Cancel
delete = Delete
also-as = The same as:
chart-numbers = The numbers
facet-more = More
skip = Skip to the content

nav-label = Main
nav-home = Home
nav-browse = Browse
nav-new = New pulse
search-label = Search for an address, name, hash or word
search-hint = Address, name, hash or word
search-button = Search
footer-api = API
look-language = Language
look-colours = Colours
look-button = Apply
colours-auto = As the system
colours-light = Light
colours-dark = Dark
pager-label = Pages
pager-first = First page
pager-next = Next page

done-subscribed = Subscribed. It goes to your sensors within 30 minutes.
done-unsubscribed = Not subscribed any more. Your sensors drop it with their next update.
done-commented = Your comment is published.
done-deleted = The comment is deleted.
done-voted = Your vote counts.
done-reported = Thank you. The moderators look at it.
done-suggested = Sent. The author decides about your suggestion.
done-cloned = This is your copy.
done-published = Published.
done-signed-up = Your account exists. Sign in with your password.
done-signed-out = You are signed out.

error-400 = This does not work
error-400-what = Something in the address or the form is not as expected. Go back and change it.
error-403 = Not allowed
error-403-what = Your account may not do this. If you think it should, ask whoever runs this exchange.
error-404 = Not here
error-404-what = There is nothing at this address, or it is not meant for you. Check the address, or search for it above.
error-405 = This does not work
error-405-what = This address takes no such request. Go back and use the buttons of the page.
error-413 = Too much at once
error-413-what = What you sent is too long. Split it up, or leave something out.
error-429 = A little too fast
error-429-what = There were too many requests. Wait a moment, then try again.
error-500 = Something broke
error-500-what = The server failed, and its log says why. Try again; if it stays so, tell whoever runs this exchange.
error-home = To the start
error-retry = { $count ->
    [one] Try again in a second.
   *[other] Try again in { $count } seconds.
 }
form-refused = It was not sent. This has to change first:

sign-in = Sign in
sign-in-why = With an account you subscribe to pulses, write, vote and get keys for your programs.
sign-in-refused = Nobody can sign in here, because passwords would cross the network unencrypted. Whoever runs this exchange has to set up TLS.
sign-in-new = No account yet?
sign-in-to-subscribe = Sign in to subscribe
sign-out = Sign out
sign-up = Create an account
sign-up-why = You need a name that others see, and a password that nobody guesses.
sign-up-closed = Nobody can sign up here by themselves. Ask whoever runs this exchange for an account.
sign-up-puzzle = Without scripts, your browser cannot solve the small puzzle that keeps robots out. Ask a member for an invitation instead.
sign-up-working = Solving the puzzle that keeps robots out…
field-username = Name
field-username-help = Letters, digits, and . _ - between them. Others see it.
field-password = Password
field-password-help = { $count ->
    [one] At least one character.
   *[other] At least { $count } characters. Several words are easy to remember and hard to guess.
 }
field-code = Code
field-code-help = From your app, if you use one; or a recovery code. Otherwise leave it empty.
field-email = Mail
field-email-help = Only if you like. Nobody else sees it.
field-invitation = Invitation
field-invitation-help = The long text at the end of the link that you were sent.
field-invitation-open = Only if you have one.
field-name = Name
field-name-help = { $count ->
    [one] One character.
   *[other] Up to { $count } characters. Leave it empty to keep the name.
 }
field-reason = Reason
field-reason-help = In a sentence or two.

tabs-label = Views of this pulse
tab-overview = Overview
tab-comments = Comments
tab-history = History
tab-related = Related
tab-export = Export

summary = In short
summary-lists = It lists { $list } that are known to be bad.
summary-empty = It lists no values.
summary-adversary = They are said to belong to the attacker { $name }.
summary-family = The malware is { $name }.
summary-when = Last changed { $when }.
ago-today = today
ago-days = { $count ->
    [one] yesterday
   *[other] { $count } days ago
 }
is-subscribed = Subscribed
is-held = Held
held-what = Only you see this pulse, until a moderator has looked at it.
subscribe = Subscribe
subscribe-what = It goes to your sensors within 30 minutes.
unsubscribe = Unsubscribe
vote-up = Helpful
vote-down = Not helpful
votes = { $up } found it helpful, { $down } did not
suggest = Suggest a change
report = Report a problem
clone = Make a copy
no-description = The author wrote no description.
references = References
facts = Facts

fact-name = Name
fact-description = Description
fact-public = Public
fact-tlp = TLP
fact-published = Published
fact-revision = Revision
fact-subscribers = Subscribers
fact-adversary = Attacker
fact-family = Malware
fact-industry = Industries
fact-country = Countries
fact-attack = Techniques (ATT&CK)
fact-tags = Tags
fact-groups = Groups
fact-copy = Copy of
fact-other = Something else

tlp-clear = You may share this with anybody.
tlp-green = You may share this with your community, but not publish it.
tlp-amber = You may share this within your organisation and with its clients, if they need it.
tlp-amber-strict = You may share this within your organisation only.
tlp-red = This is for you alone. Do not share it.

indicators = Known bad values (indicators)
indicators-none = Nothing here matches these filters.
find-label = Find in this list
find-button = Find
facet-type = Type
switch-inactive = Show expired ones, too
switch-real = Show real values
column-value = Value
column-type = Type
column-role = Role
column-added = Added
column-expires = Expires
column-state = State
column-others = Other pulses
state-active = Active
state-inactive = Expired
state-flagged = Kept out of exports
on-list = On the warning list

kind-ipv4 = Address
kind-ipv6 = Address (IPv6)
kind-cidr = Network
kind-domain = Domain
kind-hostname = Host name
kind-url = Web address (URL)
kind-uri = Path of a web address
kind-email = Mail address
kind-md5 = File (MD5)
kind-sha1 = File (SHA-1)
kind-sha256 = File (SHA-256)
kind-pehash = File (PEhash)
kind-imphash = File (import hash)
kind-filepath = Path of a file
kind-mutex = Mutex
kind-cve = Vulnerability (CVE)
kind-yara = Rule (YARA)
kind-ja3 = TLS fingerprint (JA3)
kind-certificate = Certificate
kind-bitcoin = Bitcoin address
kind-nids = Rule (network)
kind-osquery = Rule (osquery)
kind-correlation = Rule (correlation)

kinds-address = { $count ->
    [one] one address
   *[other] { $count } addresses
 }
kinds-cidr = { $count ->
    [one] one network
   *[other] { $count } networks
 }
kinds-domain = { $count ->
    [one] one domain
   *[other] { $count } domains
 }
kinds-hostname = { $count ->
    [one] one host name
   *[other] { $count } host names
 }
kinds-url = { $count ->
    [one] one web address
   *[other] { $count } web addresses
 }
kinds-uri = { $count ->
    [one] one path
   *[other] { $count } paths
 }
kinds-email = { $count ->
    [one] one mail address
   *[other] { $count } mail addresses
 }
kinds-file = { $count ->
    [one] one file
   *[other] { $count } files
 }
kinds-cve = { $count ->
    [one] one vulnerability
   *[other] { $count } vulnerabilities
 }
kinds-rule = { $count ->
    [one] one rule
   *[other] { $count } rules
 }
kinds-other = { $count ->
    [one] one trace of another kind
   *[other] { $count } traces of other kinds
 }

count-subscribers = { $count ->
    [one] { $count } subscriber
   *[other] { $count } subscribers
 }
count-comments = { $count ->
    [one] { $count } comment
   *[other] { $count } comments
 }

revision = { $count ->
   *[other] Revision { $count }
 }
change-created = Created
change-added = { $count ->
    [one] Added { $count } value
   *[other] Added { $count } values
 }
change-edited = { $count ->
    [one] Changed { $count } value
   *[other] Changed { $count } values
 }
change-removed = { $count ->
    [one] Removed { $count } value
   *[other] Removed { $count } values
 }

related-none = No other pulse that you may see shares a value, an attacker or a malware family with this one.
related-why = In common:

comments-none = Nobody has said anything yet.
comment-add = Add a comment
comment-text = Comment
comment-help = Markdown works; pictures and HTML do not. Whoever you mention with @name is told.
comment-send = Publish the comment

report-why = Tell the moderators what is wrong with this pulse: that it is false, harmful, private, or spam. If only one value is wrong, report that value on its own page.
suggest-why = The author sees your suggestion, and takes it or not. Fill in what you would change.
suggest-add = Values to add
suggest-add-help = One a line: addresses, names, web addresses, hashes. Written as evil[.]example is fine.
suggest-description = New description
suggest-description-help = In place of the old one.
suggest-adversary-help = Who is behind it, if you know.
suggest-tags = Tags to add
suggest-tags-help = With commas between them.
suggest-nothing = Fill in at least one thing that you would change.
clone-why = A copy is yours: you change it as you like, and it does not follow the original. It keeps its TLP.

export-why = The same pulse for programs. A file has what is active now, without what is on warning lists.
export-key = The lines below fetch it with a key of yours in the variable KEY.
format-list = One value a line: for firewalls that read lists.
format-hosts = A hosts file.
format-squid = A list of names for the proxy Squid.
format-nftables = Sets of addresses for the firewall nftables.
format-csv = A table, exactly as it is.
format-spreadsheet = A table that is safe to open with a spreadsheet.
format-openioc = OpenIOC 1.1.
format-stix = A bundle of STIX 2.1: for OpenCTI, and most other platforms.
format-misp = A part of a feed for MISP.
format-zeek = For the intelligence framework of Zeek.
format-suricata = For Suricata: rules, and the lists that they use.
format-rpz = A zone for DNS servers (RPZ): BIND, Unbound, PowerDNS.
format-database = A database for wiresift.
