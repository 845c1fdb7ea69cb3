use super::*;
use crate::packet::tests::{decode_hashing, tcp};
