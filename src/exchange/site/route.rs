//! Rows of the tables of routes.

use super::Call;
use crate::exchange::accounts::Scope;
use crate::exchange::http::{Failure, Method, Reply};

/// The outcome of a call.
pub type Answer = Result<Reply, Failure>;

/// The function of a route.
pub type Handler = fn(&Call<'_>) -> Answer;

/// In whose form errors are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Family {
    /// `{"status": "error", "detail": …}`: the API of OTX and ours.
    Api,
    /// Error messages of TAXII 2.1.
    Taxii,
    /// A line of text: files for other programs.
    Text,
    /// A page for people.
    Page,
}

/// What a caller needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Needs {
    /// Nothing.
    Nothing,
    /// A key that reads, or nothing on a server that lets everybody read.
    Reader,
    /// A key with this scope.
    Key(Scope),
    /// A key of a trusted member.
    Trusted,
    /// A key of a moderator.
    Moderator,
    /// A key of an administrator.
    Admin,
}

/// A route.
#[derive(Clone, Copy)]
pub struct Route {
    /// The methods that it takes.
    pub methods: &'static [Method],
    /// Its path, with names in braces.
    pub path: &'static str,
    /// What its caller needs.
    pub needs: Needs,
    /// In whose form errors are written.
    pub family: Family,
    /// A sentence for the description of the API.
    pub summary: &'static str,
    /// What it does.
    pub handler: Handler,
}

impl Route {
    /// Whether a GET changes something: a route that clients call with GET and POST alike.
    pub(super) fn changes(&self) -> bool {
        self.methods.contains(&Method::Get) && self.methods.contains(&Method::Post)
    }

    /// Whether it is a part of a page, the same for everybody, that browsers keep: no limit counts
    /// it.
    pub(super) fn is_free(&self) -> bool {
        self.path.starts_with("assets/")
    }
}

impl std::fmt::Debug for Route {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let methods: Vec<&str> = self.methods.iter().map(|method| method.name()).collect();
        write!(f, "{} /{}", methods.join("|"), self.path)
    }
}
