//! The command `users check`: finds stored email addresses that the current rule rejects or spells differently.

use std::io::Write;

use super::TransferError;
use crate::db::{DbConnection, diagnose};
use crate::users::addresses;
use crate::users::addresses::{Deviation, Remedy};

/// Writes a line for each of these email addresses, and a summary. With `fix`, stores the new spelling unless another
/// account has it.
pub(super) fn run(
    connection: &mut DbConnection,
    fix: bool,
    output: &mut impl Write,
) -> Result<(), TransferError> {
    let (mut found, mut fixed) = (0, 0);
    let mut after = Some(String::new());
    while let Some(id) = after {
        let page = addresses::find_deviations(connection, &id);
        let page = page.map_err(|error| diagnose(connection, error))?;
        for deviation in &page.deviations {
            found += 1;
            fixed += u64::from(report_deviation(connection, deviation, fix, output)?);
        }
        after = page.next_after;
    }
    match (found, fix) {
        (0, _) => writeln!(output, "every address is as today's rule spells it")?,
        (found, false) => writeln!(
            output,
            "{found} addresses; --fix respells those that can be"
        )?,
        (found, true) => writeln!(output, "{found} addresses, {fixed} of them respelled")?,
    }
    Ok(())
}

/// Writes the line of one email address; with `fix`, stores its new spelling. Returns whether the spelling was stored.
fn report_deviation(
    connection: &mut DbConnection,
    deviation: &Deviation,
    fix: bool,
    output: &mut impl Write,
) -> Result<bool, TransferError> {
    let Deviation {
        user_id, stored, ..
    } = deviation;
    write!(output, "user {user_id:?}, {stored:?}: ")?;
    match &deviation.remedy {
        Remedy::Rejected(violation) => writeln!(output, "{}", violation.message)?,
        Remedy::InUse(email) => {
            let email = email.as_str();
            writeln!(output, "is {email} today, which another account has")?;
        }
        Remedy::NewSpelling(email) if fix => {
            let is_stored = addresses::store_new_spelling(connection, deviation, email);
            let is_stored = is_stored.map_err(|error| diagnose(connection, error))?;
            let outcome = if is_stored {
                "now"
            } else {
                "changed meanwhile, so not respelled as"
            };
            writeln!(output, "{outcome} {}", email.as_str())?;
            return Ok(is_stored);
        }
        Remedy::NewSpelling(email) => writeln!(output, "is {} today", email.as_str())?,
    }
    Ok(false)
}
