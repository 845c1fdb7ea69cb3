//! Several members of a group, on the mock cluster.

use super::{Cluster, Post, Sender, ids_of, input, numbers_of, wait_for};

#[test]
fn members_share_and_hand_over_what_is_finished() {
    let cluster = Cluster::new(&[("logs", 4)]);
    let sender = Sender::new(&cluster.brokers, "none");
    let (one, two) = (Post::new("kafka-one"), Post::new("kafka-two"));
    for post in [&one, &two] {
        post.configure(&input(&cluster.brokers, "logs"));
    }
    let first = one.start();
    sender.numbers("logs", 4, 0..400);
    wait_for("the first has all", || numbers_of(&[&one]).len() == 400);
    let second = two.start();
    wait_for("they share", || {
        let count = |daemon: &super::super::Daemon| {
            let partitions = daemon.part("inputs", "kafka")["partitions"].clone();
            partitions.as_array().map_or(0, Vec::len)
        };
        count(&first) == 2 && count(&second) == 2
    });
    sender.numbers("logs", 4, 400..800);
    wait_for("both read", || numbers_of(&[&one, &two]).len() == 800);
    assert!(numbers_of(&[&two]).len() >= 200);
    // It hands over when it ends, at once and without a repetition.
    first.stop();
    sender.numbers("logs", 4, 800..1200);
    wait_for("the second has the rest", || numbers_of(&[&one, &two]).len() == 1200);
    second.stop();
    let counts = ids_of(&[&one, &two]);
    assert_eq!(counts.len(), 1200);
    assert!(counts.values().all(|count| *count == 1));
}
