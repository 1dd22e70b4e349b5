//! Figures of several rounds as text: the median, and the lowest and the highest in brackets.

use std::fmt;

/// One figure of each round.
#[derive(Clone, Debug, Default)]
pub(crate) struct Figures(Vec<f64>);

impl Figures {
    pub(crate) fn push(&mut self, figure: f64) {
        self.0.push(figure);
        self.0.sort_by(f64::total_cmp);
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(crate) fn median(&self) -> f64 {
        let middle = self.0.len() / 2;
        match self.0.get(middle) {
            None => f64::NAN,
            Some(upper) if self.0.len() % 2 == 1 => *upper,
            Some(upper) => f64::midpoint(self.0[middle - 1], *upper),
        }
    }
}

impl fmt::Display for Figures {
    /// Whole numbers from a hundred on, one decimal place below.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (Some(lowest), Some(highest)) = (self.0.first(), self.0.last()) else {
            return f.pad("not told");
        };
        let places = usize::from(self.median().abs() < 100.0);
        let text = if self.0.len() == 1 {
            format!("{:.places$}", self.median())
        } else {
            format!("{:.places$} ({lowest:.places$}-{highest:.places$})", self.median())
        };
        f.pad(&text)
    }
}

/// A count as a figure; what the float cannot hold exactly is noise here.
#[expect(clippy::cast_precision_loss, reason = "a figure has three digits that mean something")]
pub(crate) fn figure(count: u64) -> f64 {
    count as f64
}
