//! Implements [`Headers`] for the header map of `http` 1.x, which axum and tonic share.

use http::header::{AUTHORIZATION, COOKIE, HeaderMap};

use crate::credentials::{Field, Headers};

impl Headers for HeaderMap {
    fn for_each_value<'a>(&'a self, field: Field, visit: &mut dyn FnMut(&'a [u8])) {
        let values = match field {
            Field::Authorization => self.get_all(AUTHORIZATION),
            Field::Cookie => self.get_all(COOKIE),
            Field::UserId => self.get_all("x-user-id"),
        };
        values.iter().for_each(|value| visit(value.as_bytes()));
    }
}
