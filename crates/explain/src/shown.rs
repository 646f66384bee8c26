//! A plan as it is shown, before it is written in a format.

/// A value of a property.
#[derive(Clone, PartialEq, Debug)]
pub(crate) enum Value {
    Text(String),
    Integer(i64),
    /// With so many digits behind the point.
    Float(f64, usize),
    List(Vec<String>),
}

/// Where a property is shown.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Place {
    /// In all formats.
    Everywhere,
    /// Not in text, where the title says it.
    Structured,
    /// Only in text, as a line of its own.
    Line,
}

/// A property of a node.
#[derive(Clone, PartialEq, Debug)]
pub(crate) struct Property {
    pub(crate) name: &'static str,
    pub(crate) value: Value,
    pub(crate) place: Place,
}

/// What a node costs, by planning.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(crate) struct Costs {
    pub(crate) startup: f64,
    pub(crate) total: f64,
    pub(crate) rows: f64,
    pub(crate) width: i64,
}

/// What a node did, each loop on average.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(crate) struct Actual {
    /// Nothing if time was not taken.
    pub(crate) times_ms: Option<(f64, f64)>,
    pub(crate) rows: f64,
    pub(crate) loops: u64,
}

/// A node.
#[derive(Clone, PartialEq, Debug)]
pub(crate) struct Shown {
    /// What text begins with: `Hash Left Join`, `Seq Scan on t`.
    pub(crate) title: String,
    /// `Node Type`
    pub(crate) node_type: &'static str,
    /// What it is to the node above.
    pub(crate) relationship: Option<&'static str>,
    /// `InitPlan 1`, `CTE x`
    pub(crate) subplan: Option<String>,
    /// Properties that structured formats have between the type and the costs.
    pub(crate) head: Vec<Property>,
    /// Behind the subplan's name and before the rest: strategy of aggregates, operation of changes.
    pub(crate) first: Vec<Property>,
    pub(crate) costs: Option<Costs>,
    pub(crate) actual: Option<Actual>,
    /// Whether a setting forbids it.
    pub(crate) disabled: bool,
    pub(crate) properties: Vec<Property>,
    pub(crate) children: Vec<Shown>,
}

impl Shown {
    pub(crate) fn new(node_type: &'static str) -> Shown {
        Shown {
            title: node_type.to_owned(),
            node_type,
            relationship: None,
            subplan: None,
            head: Vec::new(),
            first: Vec::new(),
            costs: None,
            actual: None,
            disabled: false,
            properties: Vec::new(),
            children: Vec::new(),
        }
    }

    pub(crate) fn show(&mut self, name: &'static str, value: Value) {
        self.properties.push(Property { name, value, place: Place::Everywhere });
    }

    pub(crate) fn structured(&mut self, name: &'static str, value: Value) {
        self.properties.push(Property { name, value, place: Place::Structured });
    }

    pub(crate) fn line(&mut self, text: String) {
        let value = Value::Text(text);
        self.properties.push(Property { name: "", value, place: Place::Line });
    }

    pub(crate) fn first(&mut self, name: &'static str, text: &str) {
        let value = Value::Text(text.to_owned());
        self.first.push(Property { name, value, place: Place::Structured });
    }

    pub(crate) fn head(&mut self, name: &'static str, value: Value) {
        self.head.push(Property { name, value, place: Place::Structured });
    }
}

/// Everything that EXPLAIN shows.
#[derive(Clone, PartialEq, Debug)]
pub(crate) struct Explained {
    pub(crate) plan: Shown,
    /// Settings that differ from their defaults.
    pub(crate) settings: Option<Vec<(String, String)>>,
    pub(crate) query_id: Option<i64>,
    /// Bytes used and allocated by planning.
    pub(crate) memory: Option<(u64, u64)>,
    pub(crate) planning_ms: Option<f64>,
    /// Time, bytes and the format's name.
    pub(crate) serialization: Option<(Option<f64>, u64, &'static str)>,
    pub(crate) execution_ms: Option<f64>,
    pub(crate) analyzed: bool,
}
