//! The members of a record, as the readers of JSON, XML, pairs and columns find them.

use std::ops::Range;

/// Where the name of a member is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Name {
    /// There is none.
    None,
    /// In the line.
    Key(u32, u32),
    /// In the header of the log.
    Column(u32),
}

/// A member: its name, its value, and the object that contains it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Member {
    pub(super) name: Name,
    pub(super) start: u32,
    pub(super) end: u32,
    pub(super) scope: u32,
}

impl Member {
    pub(super) fn span(&self) -> Range<usize> {
        self.start as usize..self.end as usize
    }
}

/// What is known of an object when it begins.
#[derive(Clone, Copy, Debug)]
pub(super) struct Opened {
    /// The key that the object, or the array that contains it, belongs to.
    pub(super) key: Name,
    /// Whether it is an element of an array, or at the top of the line.
    pub(super) is_element: bool,
    /// How often to undo JSON escapes in its values.
    pub(super) undone: u8,
    /// Whether it is an XML element, whose name is not part of the names in it.
    pub(super) is_tag: bool,
}

/// The line itself, or an object in it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Scope {
    pub(super) parent: Option<u32>,
    pub(super) opened: Opened,
    /// The nearest scope above that is an element, or itself.
    pub(super) root: u32,
}

/// The members of a line or a text, in the order of the text, and the objects that contain them.
#[derive(Debug, Default)]
pub(super) struct Members {
    all: Vec<Member>,
    pub(super) scopes: Vec<Scope>,
    /// Whether the text is in ArcSight's format, which defines its names.
    pub(super) is_cef: bool,
}

impl Members {
    /// Starts over with the text itself as the outermost scope, and keeps what was allocated.
    pub(super) fn begin(&mut self, nest: u8) {
        self.all.clear();
        self.scopes.clear();
        self.is_cef = false;
        let opened = Opened { key: Name::None, is_element: true, undone: nest, is_tag: false };
        self.scopes.push(Scope { parent: None, opened, root: 0 });
    }

    /// Adds a member.
    pub(super) fn push(&mut self, name: Name, value: Range<usize>, scope: u32) {
        let (start, end) = (value.start as u32, value.end as u32);
        self.all.push(Member { name, start, end, scope });
    }

    /// Opens an object inside another one, or in the line.
    pub(super) fn push_scope(&mut self, parent: Option<u32>, opened: Opened) -> u32 {
        let number = self.scopes.len() as u32;
        let parent = parent.unwrap_or(0);
        let root = match opened.is_element {
            true => number,
            false => self.scopes[parent as usize].root,
        };
        self.scopes.push(Scope { parent: Some(parent), opened, root });
        number
    }
}

impl std::ops::Deref for Members {
    type Target = [Member];

    fn deref(&self) -> &[Member] {
        &self.all
    }
}

impl std::ops::DerefMut for Members {
    fn deref_mut(&mut self) -> &mut [Member] {
        &mut self.all
    }
}
