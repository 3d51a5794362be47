//! SQL functions that both engines have under one name.

use diesel::sql_types::Text;
use diesel::{QueryResult, SqliteConnection};

#[diesel::declare_sql_function]
extern "SQL" {
    /// Lower case: on PostgreSQL by the locale of the database, on SQLite by Unicode.
    fn lower(text: Text) -> Text;
}

/// SQLite's own `lower` knows ASCII alone: `É` would be found neither as `é` nor as `É`.
pub(super) fn register(connection: &mut SqliteConnection) -> QueryResult<()> {
    lower_utils::register_impl(connection, |text: String| lower_case(&text))
}

/// Letter by letter, so that a part of a text stays a part of it: Σ at the end of a whole word becomes another letter
/// than within it.
fn lower_case(text: &str) -> String {
    text.chars().flat_map(char::to_lowercase).collect()
}

#[cfg(test)]
mod tests {
    use super::lower_case;

    #[test]
    fn a_part_of_a_text_stays_a_part_of_it() {
        assert_eq!(lower_case("ÉTUDE ΟΔΟΣ"), "étude οδοσ");
    }
}
