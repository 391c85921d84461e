//! Pictures, as SVG: readable on white and on black.

use std::fmt::Write;

const STYLE: &str = "\
svg{background:#fff;font:13px system-ui,sans-serif;fill:#222}\
.title{font-size:16px;font-weight:600}.dim{fill:#666}.small{font-size:11px;fill:#444}.on{fill:#111}\
.grid{stroke:#ccc}.bad{stroke:#c33;fill:#c33}.good{stroke:#283;fill:#283}.warn{stroke:#b60;fill:#b60}\
.closed{fill:#222}.one{stroke:#06c;fill:none}.two{stroke:#c40;fill:none}.one-key{fill:#06c}.two-key{fill:#c40}\
.connected{fill:#cfe8d2}.reconnecting{fill:#ffe7a8}.counting-down{fill:#ffc58f}.saving,.quitting{fill:#9fc2f0}\
.held{fill:#d9ccf2}.render{fill:#888}line,polyline{stroke-width:1.6}polyline{stroke-linejoin:round}.grid{stroke-width:1}\
.dashed{stroke:#888;stroke-width:1;stroke-dasharray:4 4}text.back{fill:#283}.label{font-weight:600}\
@media(prefers-color-scheme:dark){svg{background:#161616;fill:#eee}.dim{fill:#aaa}.small{fill:#ccc}\
.grid{stroke:#444}.bad{stroke:#f66;fill:#f66}.good{stroke:#6c7;fill:#6c7}.warn{stroke:#fa4;fill:#fa4}\
.closed{fill:#eee}.one{stroke:#5af}.two{stroke:#f96}.one-key{fill:#5af}.two-key{fill:#f96}\
text.back{fill:#6c7}}";

/// Which side of a text is at its point.
#[derive(Clone, Copy, Debug)]
pub enum Align {
    Start,
    Middle,
    End,
}

/// Where a plot is, and what it shows.
pub struct Plot {
    pub corner: (f64, f64),
    pub size: (f64, f64),
    /// From and to.
    pub x: (f64, f64),
    /// From and to.
    pub y: (f64, f64),
}

impl Plot {
    /// A point's place in the picture.
    pub fn at(&self, x: f64, y: f64) -> (f64, f64) {
        let part = |it: f64, range: (f64, f64)| (it - range.0) / (range.1 - range.0);
        (
            self.corner.0 + self.size.0 * part(x, self.x),
            self.corner.1 + self.size.1 * (1.0 - part(y, self.y)),
        )
    }
}

/// A picture with a title. Points in pixels from the upper left corner.
pub struct Picture(String);

impl Picture {
    pub fn new(width: f64, height: f64, title: &str) -> Self {
        let mut picture = Picture(format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width} {height}\" \
             width=\"{width}\" height=\"{height}\" role=\"img\">\n<style>{STYLE}</style>\n"
        ));
        picture.put(format_args!("<title>{}</title>", escaped(title)));
        picture.text(20.0, 28.0, Align::Start, "title", title);
        picture
    }

    pub fn text(&mut self, x: f64, y: f64, align: Align, class: &str, text: &str) {
        let anchor = match align {
            Align::Start => "start",
            Align::Middle => "middle",
            Align::End => "end",
        };
        self.put(format_args!(
            "<text x=\"{x:.1}\" y=\"{y:.1}\" text-anchor=\"{anchor}\" class=\"{class}\">{}</text>",
            escaped(text)
        ));
    }

    /// A plot's title, and lines across with what they stand for.
    pub fn frame(&mut self, plot: &Plot, title: &str, label: &dyn Fn(f64) -> String) {
        let (left, top) = plot.corner;
        self.text(left, top - 12.0, Align::Start, "label", title);
        for part in 0..=4 {
            let value = plot.y.0 + (plot.y.1 - plot.y.0) * f64::from(part) / 4.0;
            let (_, y) = plot.at(plot.x.0, value);
            self.line((left, y), (left + plot.size.0, y), "grid");
            self.text(left - 10.0, y + 4.0, Align::End, "dim", &label(value));
        }
    }

    /// What stands below a plot, at each multiple of `step`.
    pub fn ticks(&mut self, plot: &Plot, step: f64, label: &dyn Fn(f64) -> String) {
        let mut value = (plot.x.0 / step).ceil() * step;
        while value <= plot.x.1 {
            let (x, y) = plot.at(value, plot.y.0);
            self.line((x, y), (x, y + 4.0), "grid");
            self.text(x, y + 20.0, Align::Middle, "dim", &label(value));
            value += step;
        }
    }

    pub fn line(&mut self, from: (f64, f64), to: (f64, f64), class: &str) {
        self.put(format_args!(
            "<line x1=\"{:.1}\" y1=\"{:.1}\" x2=\"{:.1}\" y2=\"{:.1}\" class=\"{class}\"/>",
            from.0, from.1, to.0, to.1
        ));
    }

    pub fn rect(&mut self, corner: (f64, f64), size: (f64, f64), class: &str) {
        self.put(format_args!(
            "<rect x=\"{:.1}\" y=\"{:.1}\" width=\"{:.1}\" height=\"{:.1}\" class=\"{class}\"/>",
            corner.0, corner.1, size.0, size.1
        ));
    }

    pub fn dot(&mut self, at: (f64, f64), class: &str) {
        self.put(format_args!(
            "<circle cx=\"{:.1}\" cy=\"{:.1}\" r=\"4\" class=\"{class}\"/>",
            at.0, at.1
        ));
    }

    pub fn polyline(&mut self, points: &[(f64, f64)], class: &str) {
        let mut path = String::new();
        for (x, y) in points {
            // Writing to a String cannot fail.
            let _ = write!(path, "{x:.1},{y:.1} ");
        }
        self.put(format_args!(
            "<polyline points=\"{}\" class=\"{class}\"/>",
            path.trim_end()
        ));
    }

    pub fn finish(mut self) -> String {
        self.0.push_str("</svg>\n");
        self.0
    }

    fn put(&mut self, element: std::fmt::Arguments<'_>) {
        // As above.
        let _ = writeln!(self.0, "{element}");
    }
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_cannot_break_out() {
        let text = Picture::new(1.0, 1.0, "a <b> & c").finish();
        assert!(text.contains("a &lt;b&gt; &amp; c"), "{text}");
        assert!(!text.contains("<b>"));
    }
}
