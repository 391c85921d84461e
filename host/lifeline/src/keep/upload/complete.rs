//! A file is made of the parts that are up: S3's `CompleteMultipartUpload`.

use super::piece::said;
use super::{Progress, Sender, UploadError};
use crate::keep::answer;
use crate::net::Client;
use crate::settings::Secret;
use http_body_util::Full;
use hyper::body::Bytes;
use hyper::header::{CONTENT_LENGTH, CONTENT_TYPE};
use hyper::{Method, StatusCode};
use lifeline_core::Part;
use md5::{Digest, Md5};
use std::time::Instant;

const NAMESPACE: &str = "http://s3.amazonaws.com/doc/2006-03-01/";

impl<F: Fn(Progress)> Sender<'_, F> {
    /// One request. A store may take its time to answer, and then say in a success that it has failed.
    pub(super) async fn complete(&self, to: &Secret, parts: &[Part]) -> Result<(), UploadError> {
        let url = self.parsed(to)?;
        let text = request(parts);
        let mut request = Client::request(Method::POST, &url)
            .header(CONTENT_LENGTH, text.len())
            .header(CONTENT_TYPE, "application/xml")
            .body(Full::new(Bytes::from(text)))
            .map_err(|error| UploadError::Local(error.to_string()))?;
        request.headers_mut().extend(self.what.headers.0.clone());
        let (answer, driver) = self
            .client
            .send(&url, request)
            .await
            .map_err(|error| UploadError::Transport(error.to_string()))?;
        if !answer.status().is_success() {
            return Err(self.refusal(to, answer, driver).await);
        }
        let left = self.until.saturating_duration_since(Instant::now());
        let said = said(answer, left).await;
        if said.contains("<CompleteMultipartUploadResult") {
            return check(&said, &self.what.content.parts);
        }
        // As if it had had the status that it deserves: what it is, the code says.
        let refusal = answer::read(StatusCode::BAD_REQUEST, &said, to, self.what.headers);
        Err(match refusal.again || !said.contains("<Error") {
            true => UploadError::Status(200, refusal.said),
            false => UploadError::Refused(200, refusal.said),
        })
    }
}

fn request(parts: &[Part]) -> String {
    let part = |it: &Part| {
        let etag = it.etag.replace('&', "&amp;").replace('<', "&lt;");
        let number = it.number;
        format!("<Part><PartNumber>{number}</PartNumber><ETag>{etag}</ETag></Part>")
    };
    let parts: String = parts.iter().map(part).collect();
    format!("<CompleteMultipartUpload xmlns=\"{NAMESPACE}\">{parts}</CompleteMultipartUpload>")
}

/// Of a file made of parts, the ETag is the MD5 of their MD5s and their number, if it is one at all.
fn check(said: &str, md5s: &[[u8; 16]]) -> Result<(), UploadError> {
    let etag = answer::field(said, "ETag").unwrap_or_default();
    let etag = etag.replace("&quot;", "").replace("&#34;", "");
    let Some((sum, number)) = etag.trim_matches('"').split_once('-') else {
        return Ok(());
    };
    let of_all = hex::encode(Md5::digest(md5s.concat()));
    if sum.len() == of_all.len() && number == md5s.len().to_string() && sum != of_all {
        return Err(UploadError::Damaged("ETag"));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_parts_are_named_as_the_store_has_named_them() {
        let part = |number, etag: &str| Part {
            number,
            etag: etag.into(),
        };
        let text = request(&[part(1, "\"ab\""), part(2, "W<&")]);
        let parts = "<Part><PartNumber>1</PartNumber><ETag>\"ab\"</ETag></Part>\
                     <Part><PartNumber>2</PartNumber><ETag>W&lt;&amp;</ETag></Part>";
        let all = format!(
            "<CompleteMultipartUpload xmlns=\"{NAMESPACE}\">{parts}</CompleteMultipartUpload>"
        );
        assert_eq!(text, all);
    }

    #[test]
    fn what_was_made_of_the_parts_must_be_the_file() {
        let md5s: [[u8; 16]; 2] = [Md5::digest(b"a").into(), Md5::digest(b"b").into()];
        let said = |etag: &str| check(&format!("<ETag>{etag}</ETag>"), &md5s);
        let right = hex::encode(Md5::digest(md5s.concat()));
        assert_eq!(said(&format!("&quot;{right}-2&quot;")), Ok(()));
        let wrong = "0".repeat(32);
        assert_eq!(
            said(&format!("\"{wrong}-2\"")),
            Err(UploadError::Damaged("ETag"))
        );
        // Not of its parts as we know them: says nothing.
        for other in [format!("{wrong}-1"), wrong, "0x8DC-2".into(), String::new()] {
            assert_eq!(said(&other), Ok(()), "{other}");
        }
    }
}
