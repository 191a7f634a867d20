//! Takes from the log what an upstream is to get next.

use super::identities::Rewriting;
use super::letter;
use super::machine::Sent;
use super::upstream::Entered;
use crate::attachments::{AttachmentBytes, Gathered};
use crate::error::Error;
use crate::lrs::Lrs;
use crate::view::View;

/// A batch is closed when it holds this much, however few statements that are.
const BATCH_BYTES: usize = 1024 * 1024;
/// Entries looked through for one batch; a narrow filter goes on with the next look.
const MAX_LOOKS: u64 = 5_000;

/// Statements ready to be sent.
pub(super) struct Batch {
    pub sent: Sent,
    /// Their numbers, rising.
    pub sequences: Vec<u64>,
    pub texts: Vec<String>,
    pub attachments: Vec<AttachmentBytes>,
}

/// What the log has for this upstream.
pub(super) enum Next {
    Batch(Batch),
    /// Cannot be put into words that this upstream knows, or names whom it is not to see.
    Unfit {
        sequence: u64,
        reason: String,
    },
    /// Nothing up to here.
    Nothing {
        next: u64,
    },
    /// Nothing up to here, but there is more to look through.
    Further {
        next: u64,
    },
}

/// How the log becomes batches for one upstream.
pub(super) struct Plan {
    pub entered: Entered,
    /// Whom it sees.
    pub rewriting: Rewriting,
}

/// Makes the next batch, from a cursor on, of `window` statements at most. Blocks.
pub(super) fn next(lrs: &Lrs, plan: &Plan, from: u64, window: usize) -> Result<Next, Error> {
    let Plan { entered, rewriting } = plan;
    let view = lrs.view()?;
    let to = from.saturating_add(MAX_LOOKS);
    let mut batch = Batch {
        sent: Sent {
            count: 0,
            first: 0,
            next: from,
        },
        sequences: Vec::new(),
        texts: Vec::new(),
        attachments: Vec::new(),
    };
    let mut attachments = Gathered::default();
    let mut bytes = 0;
    for line in view.lines(from..to) {
        let (entry, body) = line?;
        let sequence = entry.sequence;
        let Some(body) = body else {
            batch.sent.next = sequence + 1;
            continue;
        };
        // `since` may lie ahead; where it does not, the cursor began behind it.
        let is_wanted = entered.since.is_none_or(|since| entry.stored > since)
            && (entered.filter.is_open()
                || view
                    .statement(sequence)?
                    .is_some_and(|statement| entered.filter.admits(&statement)));
        if is_wanted {
            let text = match letter::write(&entry, &body, entered.version(), rewriting)? {
                Ok(text) => text,
                Err(_) if batch.sent.count > 0 => break,
                Err(reason) => return Ok(Next::Unfit { sequence, reason }),
            };
            if batch.sent.count > 0 && bytes + text.len() > BATCH_BYTES {
                break;
            }
            bytes += text.len();
            gather(&view, sequence, &text, &mut attachments)?;
            if batch.sent.count == 0 {
                batch.sent.first = sequence;
            }
            batch.sent.count += 1;
            batch.sequences.push(sequence);
            batch.texts.push(text);
        }
        batch.sent.next = sequence + 1;
        if batch.sent.count >= window || attachments.bytes() > BATCH_BYTES {
            break;
        }
    }
    let next = batch.sent.next;
    batch.attachments = attachments.into_vec();
    Ok(if batch.sent.count > 0 {
        Next::Batch(batch)
    } else if next == to {
        Next::Further { next }
    } else {
        Next::Nothing { next }
    })
}

/// The attachments of a statement that has some.
pub(super) fn gather(
    view: &View,
    sequence: u64,
    text: &str,
    attachments: &mut Gathered,
) -> Result<(), Error> {
    if text.contains("\"attachments\"")
        && let Some(statement) = view.statement(sequence)?
    {
        attachments.add(view.snapshot(), &statement)?;
    }
    Ok(())
}
