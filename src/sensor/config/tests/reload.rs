//! What a reload changes.

use super::*;

#[test]
fn what_is_the_same_runs_on() {
    let old = right(
        "[[input]]\nkind = \"journal\"\n[[input]]\nname = \"web\"\nkind = \"files\"\npatterns = \"/a\"\n\
         [[input]]\nname = \"x\"\nkind = \"files\"\npatterns = \"/b\"\n\
         [[sink]]\nkind = \"file\"\npath = \"/o\"\n[[sink]]\nkind = \"syslog\"\naddress = \"udp://h\"\n",
    );
    let new = right(
        "# moved\n[suppress]\nwindow = \"2h\"\n[daemon]\nthreads = 2\nspool_size = \"2G\"\n\
         [[sink]]\nkind = \"syslog\"\naddress = \"udp://h:514\"\n[[sink]]\nkind = \"unix\"\npath = \"/o\"\nname = \"file\"\n\
         [[input]]\nname = \"y\"\nkind = \"eve\"\npath = \"/e\"\n\
         [[input]]\nname = \"web\"\nkind = \"files\"\npatterns = [\"/a\", \"/c\"]\npoll = \"1s\"\nidle_flush = \"1s\"\n\
         [[input]]\nname = \"journal\"\nkind = \"journal\"\nsince = \"beginning\"\n",
    );
    let changes = old.changes(&new);
    assert_eq!(changes.inputs.unchanged, ["journal"]);
    assert_eq!(changes.inputs.added, ["y"]);
    assert_eq!(changes.inputs.removed, ["x"]);
    let [web] = &changes.inputs.changed[..] else { panic!("{changes:?}") };
    assert_eq!((&*web.name, web.is_other_kind), ("web", false));
    assert_eq!(web.keys, ["patterns", "idle_flush"]);
    assert_eq!(changes.sinks.unchanged, ["syslog"]);
    assert!(changes.sinks.changed[0].is_other_kind && changes.sinks.changed[0].keys[0] == "kind");
    assert_eq!(changes.daemon, ["threads", "spool_size"]);
    assert_eq!(changes.suppress, ["window"]);
    assert!(changes.top.is_empty() && !changes.is_empty());
    assert!(new.changes(&new).is_empty());
    let back = new.changes(&old);
    assert_eq!((back.inputs.added, back.inputs.removed), (vec!["x".into()], vec!["y".into()]));
}

#[test]
fn what_is_disabled_is_not_there() {
    let text = "[[input]]\nkind = \"journal\"\n[[sink]]\nkind = \"stdout\"\n";
    let off = right(&text.replace("[[sink]]", "enabled = false\n[[sink]]"));
    let changes = right(text).changes(&off);
    assert_eq!(changes.inputs.removed, ["journal"]);
    assert!(off.changes(&off).is_empty());
    assert_eq!(off.changes(&right("")).inputs, Tables::default());
    // The default sink of a file without sinks equals an explicit one.
    assert_eq!(right(text).changes(&right("")).sinks.unchanged, ["stdout"]);
}
