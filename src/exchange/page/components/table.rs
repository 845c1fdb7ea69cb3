//! Tables. On narrow screens each row is a card, whose cells say what they are.

use maud::{Markup, html};

/// A column.
pub(in crate::exchange::page) struct Column {
    head: String,
    is_number: bool,
}

impl Column {
    /// A column of texts.
    pub(in crate::exchange::page) fn of(head: String) -> Column {
        Column { head, is_number: false }
    }

    /// A column of numbers.
    pub(in crate::exchange::page) fn number(head: String) -> Column {
        Column { head, is_number: true }
    }
}

/// A table with its name.
pub(in crate::exchange::page) fn table(
    name: &str,
    columns: &[Column],
    rows: Vec<Vec<Markup>>,
) -> Markup {
    html! {
        table class="table" {
            caption class="unseen" { (name) }
            thead {
                tr {
                    @for column in columns {
                        th scope="col" class=[column.is_number.then_some("number")] { (column.head) }
                    }
                }
            }
            tbody {
                @for row in rows {
                    tr {
                        @for (column, cell) in columns.iter().zip(row) {
                            td data-label=(column.head) class=[column.is_number.then_some("number")] {
                                (cell)
                            }
                        }
                    }
                }
            }
        }
    }
}
