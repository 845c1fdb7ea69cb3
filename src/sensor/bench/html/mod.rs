//! The report as a page: one file without scripts, which loads nothing.
//!
//! Whatever a feed says is text. [`Markup`](markup::Markup) escapes by construction: names of
//! elements and attributes are constants of the program, everything else is escaped when it is
//! written. The policy in the head of the page forbids whatever the page does not need: it allows the
//! one style sheet, by its digest.
//!
//! | file | contents |
//! | --- | --- |
//! | `page` | the page from top to bottom |
//! | `words` | what to do, in sentences |
//! | `markup` | elements, attributes and text |
//! | `figure` | a chart with its caption and its table |
//! | `scale` | values to coordinates, ticks |
//! | `matrix`, `bars`, `scatter`, `ages`, `hosts` | the charts |
//! | `style.css` | type, grid, colours for light and dark screens and for paper |

mod ages;
mod bars;
mod figure;
mod hosts;
mod markup;
mod matrix;
mod page;
mod scale;
mod scatter;
mod words;

#[cfg(test)]
mod tests;

pub use page::html;
