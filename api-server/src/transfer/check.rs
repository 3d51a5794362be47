//! Runs the command `users check`, which finds stored email addresses that the current rule rejects or spells
//! differently.

use std::io::Write;

use super::TransferError;
use crate::db::{DbConnection, diagnose};
use crate::users::email_check;
use crate::users::email_check::{Deviation, DeviationKind};

/// Writes a line for each email address that the current rule rejects or spells differently, and a summary. With
/// `fix`, stores each new spelling that no other account has.
pub(super) fn run(
    connection: &mut DbConnection,
    fix: bool,
    output: &mut impl Write,
) -> Result<(), TransferError> {
    let (mut found_count, mut fixed_count) = (0, 0);
    let mut last_user_id = Some(String::new());
    while let Some(id) = last_user_id {
        let result = email_check::find_deviations(connection, &id);
        let page = result.map_err(|error| diagnose(connection, error))?;
        for deviation in &page.deviations {
            found_count += 1;
            fixed_count += u64::from(report_and_fix(connection, deviation, fix, output)?);
        }
        last_user_id = page.last_user_id;
    }
    match (found_count, fix) {
        (0, _) => writeln!(output, "every address is as today's rule spells it")?,
        (_, false) => writeln!(
            output,
            "{found_count} addresses; --fix respells those that can be"
        )?,
        (_, true) => writeln!(
            output,
            "{found_count} addresses, {fixed_count} of them respelled"
        )?,
    }
    Ok(())
}

/// Writes the line of one email address. With `fix`, stores the new spelling, unless another account has it or the
/// stored address has changed since the check. Returns whether the new spelling was stored.
fn report_and_fix(
    connection: &mut DbConnection,
    deviation: &Deviation,
    fix: bool,
    output: &mut impl Write,
) -> Result<bool, TransferError> {
    let (user_id, stored_email) = (&deviation.user_id, &deviation.stored_email);
    write!(output, "user {user_id:?}, {stored_email:?}: ")?;
    match &deviation.kind {
        DeviationKind::Rejected(violation) => writeln!(output, "{}", violation.message)?,
        DeviationKind::SpellingInUse(new_email) => {
            let new_email = new_email.as_str();
            writeln!(output, "is {new_email} today, which another account has")?;
        }
        DeviationKind::NewSpelling(new_email) if fix => {
            let result = email_check::store_new_spelling(connection, deviation, new_email);
            let is_stored = result.map_err(|error| diagnose(connection, error))?;
            let outcome = if is_stored {
                "now"
            } else {
                "changed meanwhile, so not respelled as"
            };
            writeln!(output, "{outcome} {}", new_email.as_str())?;
            return Ok(is_stored);
        }
        DeviationKind::NewSpelling(new_email) => {
            writeln!(output, "is {} today", new_email.as_str())?;
        }
    }
    Ok(false)
}
