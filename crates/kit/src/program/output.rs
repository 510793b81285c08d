//! The one place of a service that prints.

/// Standard output for answers, standard error for failures.
#[derive(Debug, Default, Clone, Copy)]
pub struct Output;

impl Output {
    /// A line of the answer.
    #[expect(clippy::print_stdout, reason = "this is the printer that the ban points to")]
    pub fn line(&self, text: &str) {
        println!("{text}");
    }

    /// Why it failed.
    #[expect(clippy::print_stderr, reason = "this is the printer that the ban points to")]
    pub fn fail(&self, text: &str) {
        eprintln!("error: {text}");
    }
}
