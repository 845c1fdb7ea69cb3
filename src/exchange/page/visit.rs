//! What every view is given: who reads, in which language, with which colours.

use super::language::{Arg, Language, Texts};
use crate::engine::error::Result;
use crate::exchange::accounts::{UserId, Viewer, form_token};
use crate::exchange::http::{Failure, Query, Request};
use crate::exchange::site::{Call, cookie};
use crate::exchange::storage::View;

/// The cookie with the language.
pub(super) const LANGUAGE: &str = "language";

/// The cookie with the colours.
pub(super) const COLOURS: &str = "colours";

/// Light or dark.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Colours {
    /// As the browser is set.
    #[default]
    Auto,
    /// Dark on light.
    Light,
    /// Light on dark.
    Dark,
}

impl Colours {
    /// Every choice.
    pub(super) const ALL: [Colours; 3] = [Colours::Auto, Colours::Light, Colours::Dark];

    /// Its name.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Colours::Auto => "auto",
            Colours::Light => "light",
            Colours::Dark => "dark",
        }
    }

    /// The choice with this name.
    pub(super) fn from_name(name: &str) -> Option<Colours> {
        Colours::ALL.into_iter().find(|of| of.name() == name)
    }
}

/// A request of somebody for a page.
pub(super) struct Visit<'c> {
    /// The request.
    pub(super) call: &'c Call<'c>,
    /// The texts.
    pub(super) texts: &'static Texts,
    /// The colours.
    pub(super) colours: Colours,
}

impl<'c> Visit<'c> {
    /// The visit of a call.
    pub(super) fn new(call: &'c Call<'c>) -> Visit<'c> {
        let language = Language::of(call.request, plain_cookie(call.request, LANGUAGE));
        let colours = plain_cookie(call.request, COLOURS).and_then(Colours::from_name);
        Visit { call, texts: language.texts(), colours: colours.unwrap_or_default() }
    }

    /// A text.
    pub(super) fn say(&self, key: &str) -> String {
        self.texts.say(key)
    }

    /// A text with arguments.
    pub(super) fn fill(&self, key: &str, arguments: &[(&'static str, Arg<'_>)]) -> String {
        self.texts.fill(key, arguments)
    }

    /// Who reads.
    pub(super) fn viewer(&self) -> Viewer {
        self.call.caller.viewer
    }

    /// The account of the reader.
    pub(super) fn user(&self) -> Option<UserId> {
        self.viewer().user()
    }

    /// The parameters of the address.
    pub(super) fn query(&self) -> Query {
        self.call.query()
    }

    /// The token of forms, if somebody is signed in.
    pub(super) fn token(&self) -> Option<String> {
        self.call.caller.session?;
        cookie(self.call.request, self.call.settings()).map(form_token)
    }

    /// Answers from one moment of the storage.
    ///
    /// # Errors
    ///
    /// That of the question or the storage.
    pub(super) fn read<T>(
        &self,
        question: impl FnOnce(&View<'_>) -> Result<T>,
    ) -> std::result::Result<T, Failure> {
        self.call.read(question)
    }
}

/// The value of a cookie that is no secret.
fn plain_cookie<'r>(request: &'r Request, name: &str) -> Option<&'r str> {
    let lines = request.headers.get_all("cookie").iter().filter_map(|line| line.to_str().ok());
    let mut pairs = lines.flat_map(|line| line.split(';'));
    pairs.find_map(|pair| pair.trim().split_once('=').filter(|(of, _)| *of == name)).map(|of| of.1)
}
