//! Bodies of answers, as the runtime sends them.

use crate::exchange::http::{Body, Pieces};
use hyper::body::{Bytes, Frame, SizeHint};
use std::future::Future as _;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use tokio::task::{JoinHandle, spawn_blocking};

/// A piece, and the rest.
type Made = (Pieces, Option<io::Result<Vec<u8>>>);

/// A body that is sent. Each piece is made when the one before it has left, on a thread that may
/// block: so a slow reader occupies none.
pub(super) enum Sent {
    /// All of it, or nothing any more.
    Whole(Option<Bytes>),
    /// Pieces that are not asked for yet.
    Idle(Option<Pieces>),
    /// The next piece is being made.
    Busy(JoinHandle<Made>),
}

impl From<Body> for Sent {
    fn from(body: Body) -> Sent {
        match body {
            Body::Whole(bytes) => Sent::Whole(Some(bytes.into())),
            Body::Pieces(pieces) => Sent::Idle(Some(pieces)),
        }
    }
}

impl hyper::body::Body for Sent {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<io::Result<Frame<Bytes>>>> {
        loop {
            match &mut *self {
                Sent::Whole(bytes) => {
                    return Poll::Ready(bytes.take().map(|bytes| Ok(Frame::data(bytes))));
                }
                Sent::Idle(pieces) => {
                    let Some(mut pieces) = pieces.take() else { return Poll::Ready(None) };
                    *self = Sent::Busy(spawn_blocking(move || {
                        let piece = pieces.next();
                        (pieces, piece)
                    }));
                }
                Sent::Busy(task) => {
                    let made = ready!(Pin::new(task).poll(context));
                    let (pieces, piece) = made.map_err(io::Error::other)?;
                    return match piece {
                        None => {
                            *self = Sent::Whole(None);
                            Poll::Ready(None)
                        }
                        Some(piece) => {
                            *self = Sent::Idle(Some(pieces));
                            Poll::Ready(Some(piece.map(|bytes| Frame::data(bytes.into()))))
                        }
                    };
                }
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        matches!(self, Sent::Whole(None))
    }

    fn size_hint(&self) -> SizeHint {
        match self {
            Sent::Whole(bytes) => {
                SizeHint::with_exact(bytes.as_ref().map_or(0, |bytes| bytes.len() as u64))
            }
            Sent::Idle(_) | Sent::Busy(_) => SizeHint::default(),
        }
    }
}
