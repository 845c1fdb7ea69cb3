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

home = Home
home-sensors = Your sensors
home-news = New in what you subscribe to
home-popular = What others subscribe to
home-nothing = There are no pulses here yet. Write the first one.
welcome = People share here which addresses, names and files are known to be bad, and why. Your firewall, name server or sensor can use what they know: subscribe to a pulse, and it gets there by itself.
more = More of these
sensors-none = No sensor of yours reports here yet.
sensors-how = How sensors report
sensors-calm = No hits today
sensors-last = The last report was on
sensors-hits = { $hits ->
    [one] In the last 24 hours, there was one hit
   *[other] In the last 24 hours, there were { $hits } hits
 } on { $values ->
    [one] one known bad value
   *[other] { $values } known bad values
 } by { $machines ->
    [one] one of your machines
   *[other] { $machines } of your machines
 }, as { $sensors ->
    [one] one sensor reports.
   *[other] { $sensors } sensors report.
 }
sensors-hours = Hits by hour (UTC)
sensors-worst = The worst of them
sensors-next = Look at the machine first: which program did that, and who uses it? Then open the value to read who says that it is bad, and how sure that is.
hour = Hour
hits = Hits
severity-1 = Low
severity-2 = Medium
severity-3 = High
severity-4 = Critical
column-severity = Severity
column-machine = Machine
column-when = When
column-by = Says who
column-pulse = Pulse

browse = Browse
browse-words = Words
browse-apply = Show
browse-none = No pulse matches all of this. Take something away.
browse-all = Show all pulses
browse-count = { $count ->
    [one] { $count } pulse
   *[other] { $count } pulses
 }
browse-many = { $count ->
   *[other] More than { $count } pulses; counts are of the newest { $count }
 }
results = Results
narrow = Narrow down
chosen = Chosen
take-away = take away
author = Author
sort = Order
sort-best = Best first
sort-modified = Last changed
sort-created = Newest
sort-popular = Most subscribers
sort-votes = Most helpful
age = Changed
age-any = At any time
age-day = Within a day
age-week = Within a week
age-month = Within a month
age-year = Within a year
type-any = Any
why-found = Found in:
why-value = a value, or another part

verdict = Verdict
verdict-unknown = Nobody here has reported it
verdict-around = Not reported itself, but something around it is
verdict-refuted = A false alarm
verdict-past = Was reported, and is not active any more
verdict-doubtful = Reported, but probably a false alarm
verdict-one = Reported as bad
verdict-bad = Known to be bad
verdict-next = What to do:
verdict-do = If a machine of yours contacted it, find out which program did, and block the value meanwhile.
doubts = Doubts
real-value = the real value, to copy:
checked-pulses = All pulses that you may see were checked, expired values included.
checked-around = So were the networks and names that include it.
checked-lists = So were the warning lists of this exchange.
unknown-means = That does not mean that it is harmless: new and rare threats are reported nowhere.
reason-authors = { $count ->
    [one] One author lists it as bad, in { $pulses } of the pulses that you may see.
   *[other] { $count } independent authors list it as bad, in { $pulses } of the pulses that you may see.
 }
reason-past = It was listed in { $pulses } of the pulses that you may see. It has expired there, or was switched off.
reason-roles = They call it: { $roles }.
reason-when = First listed { $first }, last listed { $last }.
reason-seen = { $count ->
    [one] Sensors of this exchange saw it once.
   *[other] Sensors of this exchange saw it { $count } times.
 }
doubt-list = It is on the warning list { $name }: many people use it for harmless things.
doubt-one = Nobody else confirms it yet.
doubt-refuted = A report that it is a false alarm was accepted.
doubt-votes = { $down ->
    [one] One reader thinks that it is harmless
   *[other] { $down } readers think that it is harmless
 }, and { $up } that it is bad.
said-in = { $count ->
    [one] In one pulse
   *[other] In { $count } pulses
 }
in-pulses = { $count ->
    [one] in one pulse
   *[other] in { $count } pulses
 }
around = Around it
siblings = Other digests of the same file
urls = Web addresses there
search-words = Search pulses for it as text
act = What do you think?
vote-bad = It is bad
vote-fine = It is harmless
false-alarm = Report a false alarm
false-alarm-help = Why is it harmless? The moderators read it, and if they agree, nobody's sensor gets it any more.
false-alarm-send = Send the report

done-drafted = Kept as a draft. Only you see it, until you publish it.
publish = Publish
new-why = Write what you know, and paste the values: before anything is published, you see what it would be.
new-name-help = From { $least } to { $most } characters: what happens, and who does it.
new-description-help = How you know it, and what it does. Markdown works.
new-values-help = One a line, or a whole text that has them: addresses, names, web addresses, hashes. Written as evil[.]example is fine.
new-references-help = One a line: where people can read more.
new-tlp = Who may read it (TLP)
new-more = More about it
new-check = Look at it first
new-check-again = Look again
new-publish = Publish
new-draft = Keep as a draft
new-preview = This is what it would be
new-audience-all = Everybody with an account here would see it.
new-audience-me = Only you would see it, until you share it with a group.
new-unread = { $count ->
    [one] In one line there was no value:
   *[other] In { $count } lines there was no value:
 }
new-flagged = Some values are on warning lists: many people use them for harmless things. They would be published, but nobody's sensor gets them before somebody trusted agrees.
new-alike = { $count } percent of your values are in this pulse already. Perhaps suggest a change to it instead:
new-private = Your text seems to have private data in it. Remove it, or say that it is meant:
new-confirm = Publish it with { $what }
