//! From records and histories to messages. The only place where the two meet.

mod clone;
mod operation;
mod point;

pub use clone::clone;
pub use operation::{error_status, metadata, operation, response};
pub use point::point;

use jiff::Timestamp;
use strata_model::Grade;
use strata_proto::strata::common::v1 as common;

/// A time.
pub fn time(at: Timestamp) -> prost_types::Timestamp {
    prost_types::Timestamp { seconds: at.as_second(), nanos: at.subsec_nanosecond() }
}

/// A grade.
pub fn grade(grade: Grade) -> common::Grade {
    match grade {
        Grade::Crash => common::Grade::Crash,
        Grade::Vm => common::Grade::Vm,
        Grade::App => common::Grade::App,
    }
}

/// A message inside an Any.
pub fn any(type_name: &str, message: &impl prost::Message) -> prost_types::Any {
    prost_types::Any { type_url: format!("type.googleapis.com/{type_name}"), value: message.encode_to_vec() }
}
