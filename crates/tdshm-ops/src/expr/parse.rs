//! Tokens made into a tree, by the precedence of Python's operators.

use std::sync::Arc;

use crate::Value;
use crate::error::ExprError;
use crate::expr::function::{Function, Takes, constant, function, known};
use crate::expr::token::{Placed, Token, character, cut, tokens};
use crate::expr::tree::{Arithmetic, Comparison, Kind, Node, Span};
use crate::expr::{DEEPEST, Expr};

/// How tightly an operator binds, from Python's table.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Rank {
    If,
    Or,
    And,
    Not,
    Comparison,
    Sum,
    Product,
    Sign,
    Power,
}

impl Rank {
    /// The next tighter one: what stands right of an operator that goes from left to right.
    fn tighter(self) -> Self {
        match self {
            Self::If => Self::Or,
            Self::Or => Self::And,
            Self::And => Self::Not,
            Self::Not => Self::Comparison,
            Self::Comparison => Self::Sum,
            Self::Sum => Self::Product,
            Self::Product => Self::Sign,
            Self::Sign | Self::Power => Self::Power,
        }
    }
}

const KEYWORDS: [&str; 35] = [
    "False", "None", "True", "and", "as", "assert", "async", "await", "break", "class", "continue", "def",
    "del", "elif", "else", "except", "finally", "for", "from", "global", "if", "import", "in", "is",
    "lambda", "nonlocal", "not", "or", "pass", "raise", "return", "try", "while", "with", "yield",
];

const NAMES: &str = "me, op(), opex(), parent(), root, absTime, math, tdu, abs(), bool(), float(), int(), len(), \
                     max(), min(), round(), str()";

pub(super) fn parse(text: &str) -> Result<Expr, ExprError> {
    let tokens = tokens(text)?;
    let mut parser = Parser { text, tokens, next: 0, depth: 0, references: Vec::new(), uses_time: false };
    let root = parser.expression(Rank::If)?;
    if *parser.peek() != Token::End {
        return Err(parser.unexpected(
            "the end or an operator",
            match parser.peek() {
                Token::Sign("=") => "write == to compare; nothing can be assigned here",
                Token::Sign(")" | "]") => "take it away, or open it in front",
                Token::Sign(",") => "write one value",
                _ => "put an operator such as + or and in front of it, or take it away",
            },
        ));
    }
    Ok(Expr { text: text.into(), root, references: parser.references.into(), uses_time: parser.uses_time })
}

struct Parser<'a> {
    text: &'a str,
    tokens: Vec<Placed<'a>>,
    next: usize,
    depth: usize,
    references: Vec<Arc<str>>,
    uses_time: bool,
}

impl<'a> Parser<'a> {
    fn peek(&self) -> &Token<'a> {
        self.tokens.get(self.next).map_or(&Token::End, |placed| &placed.token)
    }

    fn span(&self) -> Span {
        let end = Span { start: self.text.len(), end: self.text.len() };
        self.tokens.get(self.next).map_or(end, |placed| placed.span)
    }

    fn step(&mut self) {
        self.next = self.next.saturating_add(1);
    }

    fn accept(&mut self, sign: &str) -> bool {
        let is_it = matches!(self.peek(), Token::Sign(found) if *found == sign);
        if is_it {
            self.step();
        }
        is_it
    }

    fn accept_word(&mut self, word: &str) -> bool {
        let is_it = matches!(self.peek(), Token::Name(found) if *found == word);
        if is_it {
            self.step();
        }
        is_it
    }

    fn unexpected(&self, expected: &'static str, remedy: &'static str) -> ExprError {
        let span = self.span();
        let found = match self.peek() {
            Token::End => "the end".into(),
            _ => cut(self.text.get(span.start..span.end).unwrap_or_default()),
        };
        ExprError::Unexpected { at: character(self.text, span.start), found, expected, remedy }
    }

    fn close(&mut self, sign: &'static str, expected: &'static str) -> Result<Span, ExprError> {
        let span = self.span();
        if self.accept(sign) {
            return Ok(span);
        }
        Err(self.unexpected(expected, "close what was opened in front"))
    }

    fn node(&self, kind: Kind, span: Span, parts: &[usize]) -> Result<Node, ExprError> {
        let height = parts.iter().copied().max().unwrap_or_default().saturating_add(1);
        if height > DEEPEST {
            return Err(self.too_deep(span.start));
        }
        Ok(Node { kind, span, height })
    }

    fn too_deep(&self, at: usize) -> ExprError {
        ExprError::TooDeep { at: character(self.text, at), limit: DEEPEST }
    }

    /// All that binds at least as tightly as `rank`.
    fn expression(&mut self, rank: Rank) -> Result<Node, ExprError> {
        if self.depth >= DEEPEST {
            return Err(self.too_deep(self.span().start));
        }
        self.depth = self.depth.saturating_add(1);
        let mut left = self.front(rank)?;
        while let Some(next) = self.infix(rank) {
            left = self.behind(left, next)?;
        }
        self.depth = self.depth.saturating_sub(1);
        Ok(left)
    }

    /// A value, or an operator that stands in front of one.
    fn front(&mut self, rank: Rank) -> Result<Node, ExprError> {
        let span = self.span();
        if matches!(self.peek(), Token::Name("not")) {
            if rank > Rank::Not {
                return Err(self.unexpected("a value", "put not and what follows it in parentheses"));
            }
            self.step();
            let value = self.expression(Rank::Not)?;
            let (all, height) = (span.to(value.span), value.height);
            return self.node(Kind::Not(Box::new(value)), all, &[height]);
        }
        let is_minus = matches!(self.peek(), Token::Sign("-"));
        if is_minus || matches!(self.peek(), Token::Sign("+")) {
            self.step();
            // -2 ** 2 is -(2 ** 2).
            let value = self.expression(Rank::Sign)?;
            let (all, height) = (span.to(value.span), value.height);
            let kind = if is_minus { Kind::Minus(Box::new(value)) } else { Kind::Plus(Box::new(value)) };
            return self.node(kind, all, &[height]);
        }
        let atom = self.atom()?;
        self.trailers(atom)
    }

    /// The operator that comes next, where it binds at least as tightly as `rank`.
    fn infix(&self, rank: Rank) -> Option<Infix> {
        let (found, its_rank) = match self.peek() {
            Token::Name("if") => (Infix::If, Rank::If),
            Token::Name("or") => (Infix::Or, Rank::Or),
            Token::Name("and") => (Infix::And, Rank::And),
            Token::Name("not" | "in" | "is") | Token::Sign("<" | "<=" | ">" | ">=" | "==" | "!=") => {
                (Infix::Comparison, Rank::Comparison)
            }
            Token::Sign("+") => (Infix::Arithmetic(Arithmetic::Add), Rank::Sum),
            Token::Sign("-") => (Infix::Arithmetic(Arithmetic::Subtract), Rank::Sum),
            Token::Sign("*") => (Infix::Arithmetic(Arithmetic::Multiply), Rank::Product),
            Token::Sign("/") => (Infix::Arithmetic(Arithmetic::Divide), Rank::Product),
            Token::Sign("//") => (Infix::Arithmetic(Arithmetic::FloorDivide), Rank::Product),
            Token::Sign("%") => (Infix::Arithmetic(Arithmetic::Modulo), Rank::Product),
            Token::Sign("**") => (Infix::Arithmetic(Arithmetic::Power), Rank::Power),
            _ => return None,
        };
        (its_rank >= rank).then_some(found)
    }

    fn behind(&mut self, left: Node, infix: Infix) -> Result<Node, ExprError> {
        if infix == Infix::Comparison {
            return self.comparisons(left);
        }
        self.step();
        let span = left.span;
        let left_height = left.height;
        let left = Box::new(left);
        match infix {
            Infix::If => {
                let condition = self.expression(Rank::Or)?;
                if !self.accept_word("else") {
                    return Err(self.unexpected("else", "write: value if condition else other"));
                }
                let no = self.expression(Rank::If)?;
                let (all, heights) = (span.to(no.span), [left_height, condition.height, no.height]);
                let kind = Kind::If { condition: Box::new(condition), yes: left, no: Box::new(no) };
                self.node(kind, all, &heights)
            }
            Infix::Or | Infix::And => {
                let rank = if infix == Infix::Or { Rank::Or } else { Rank::And };
                let right = self.expression(rank.tighter())?;
                let (all, heights) = (span.to(right.span), [left_height, right.height]);
                let right = Box::new(right);
                let kind = if infix == Infix::Or { Kind::Or(left, right) } else { Kind::And(left, right) };
                self.node(kind, all, &heights)
            }
            Infix::Arithmetic(operator) => {
                let rank = match operator {
                    Arithmetic::Add | Arithmetic::Subtract => Rank::Sum.tighter(),
                    // 2 ** -1 and 2 ** 3 ** 2 both go from right to left.
                    Arithmetic::Power => Rank::Sign,
                    _ => Rank::Product.tighter(),
                };
                let right = self.expression(rank)?;
                let (all, heights) = (span.to(right.span), [left_height, right.height]);
                self.node(Kind::Arithmetic(operator, left, Box::new(right)), all, &heights)
            }
            Infix::Comparison => Err(self.unexpected("a value", "write one")),
        }
    }

    fn comparisons(&mut self, left: Node) -> Result<Node, ExprError> {
        let (mut all, mut height) = (left.span, left.height);
        let mut chain = Vec::new();
        while let Some(comparison) = self.comparison()? {
            let right = self.expression(Rank::Comparison.tighter())?;
            all = all.to(right.span);
            height = height.max(right.height);
            chain.push((comparison, right));
        }
        self.node(Kind::Compare(Box::new(left), chain), all, &[height])
    }

    fn comparison(&mut self) -> Result<Option<Comparison>, ExprError> {
        let comparison = match self.peek() {
            Token::Sign("<") => Comparison::Less,
            Token::Sign("<=") => Comparison::LessOrEqual,
            Token::Sign("==") => Comparison::Equal,
            Token::Sign("!=") => Comparison::NotEqual,
            Token::Sign(">=") => Comparison::GreaterOrEqual,
            Token::Sign(">") => Comparison::Greater,
            Token::Name("in") => Comparison::In,
            Token::Name("is") => {
                self.step();
                let comparison = if self.accept_word("not") { Comparison::IsNot } else { Comparison::Is };
                return Ok(Some(comparison));
            }
            Token::Name("not") => {
                self.step();
                if self.accept_word("in") {
                    return Ok(Some(Comparison::NotIn));
                }
                return Err(self.unexpected("in", "write not in, or and not"));
            }
            _ => return Ok(None),
        };
        self.step();
        Ok(Some(comparison))
    }

    fn atom(&mut self) -> Result<Node, ExprError> {
        const REMEDY: &str = "write a number, a text or a reference";
        let span = self.span();
        let token = self.peek().clone();
        match token {
            Token::Value(value) => {
                self.step();
                self.node(Kind::Value(value), span, &[])
            }
            Token::Sign("(") => {
                self.step();
                let inner = self.expression(Rank::If)?;
                let close = self.close(")", "an operator or )")?;
                self.node(inner.kind, span.to(close), &[inner.height.saturating_sub(1)])
            }
            Token::Name(name) => self.name(name, span),
            Token::Sign("[") => Err(self.unexpected("a value", "lists cannot be used here")),
            Token::Sign("=") => {
                Err(self.unexpected("a value", "write == to compare; nothing can be assigned here"))
            }
            Token::Sign(_) | Token::End => Err(self.unexpected("a value", REMEDY)),
        }
    }

    fn name(&mut self, name: &'a str, span: Span) -> Result<Node, ExprError> {
        let kind = match name {
            "True" => Kind::Value(true.into()),
            "False" => Kind::Value(false.into()),
            "None" => Kind::Value(Value::None),
            "me" => Kind::Me,
            "root" => Kind::Root,
            "absTime" => {
                self.uses_time = true;
                Kind::AbsTime
            }
            "op" | "opex" => {
                self.step();
                return self.find(None, span, name == "opex");
            }
            "parent" => {
                self.step();
                return self.parent(None, span);
            }
            "math" | "tdu" => {
                self.step();
                return self.module(name, span);
            }
            _ if KEYWORDS.contains(&name) => {
                return Err(self.unexpected("a value", "write a number, a text or a reference"));
            }
            _ => {
                let Some(function) = function("", name) else {
                    return Err(self.unknown(span, NAMES.into()));
                };
                self.step();
                return self.call(function, span);
            }
        };
        self.step();
        self.node(kind, span, &[])
    }

    fn unknown(&self, span: Span, known: String) -> ExprError {
        let name = cut(self.text.get(span.start..span.end).unwrap_or_default());
        ExprError::UnknownName { at: character(self.text, span.start), name, known }
    }

    /// `math.sin(x)`, `math.pi`
    fn module(&mut self, module: &str, span: Span) -> Result<Node, ExprError> {
        if !self.accept(".") {
            return Err(
                self.unexpected("a dot", "write the name of a function behind it, such as math.sin(x)")
            );
        }
        let all = span.to(self.span());
        let Token::Name(name) = *self.peek() else {
            return Err(self.unexpected("the name of a function", "write one, such as math.sin(x)"));
        };
        if let Some(value) = constant(module, name) {
            self.step();
            return self.node(Kind::Value(Value::Float(value)), all, &[]);
        }
        let Some(function) = function(module, name) else {
            return Err(self.unknown(all, known(module)));
        };
        self.step();
        self.call(function, all)
    }

    fn call(&mut self, function: &'static Function, span: Span) -> Result<Node, ExprError> {
        let (values, height, close) = self.arguments()?;
        if !function.takes.allows(values.len()) {
            let name = self.text.get(span.start..span.end).unwrap_or_default();
            return Err(self.wrong_arguments(name, span, values.len(), function.takes));
        }
        self.node(Kind::Call(function, values), span.to(close), &[height])
    }

    fn wrong_arguments(&self, name: &str, span: Span, given: usize, takes: Takes) -> ExprError {
        let at = character(self.text, span.start);
        ExprError::WrongArguments { at, function: format!("{name}()"), given, takes: takes.to_string() }
    }

    /// What stands between parentheses, with commas; also the greatest height, and where it ends.
    fn arguments(&mut self) -> Result<(Vec<Node>, usize, Span), ExprError> {
        if !self.accept("(") {
            return Err(self.unexpected("(", "put the values of the function in parentheses"));
        }
        let (mut values, mut height) = (Vec::new(), 0);
        loop {
            let span = self.span();
            if self.accept(")") {
                return Ok((values, height, span));
            }
            let behind = self.tokens.get(self.next.saturating_add(1)).map(|placed| &placed.token);
            if matches!((self.peek(), behind), (Token::Name(_), Some(Token::Sign("=")))) {
                return Err(self.unexpected("a value", "give the values in their order, without names"));
            }
            let value = self.expression(Rank::If)?;
            height = value.height.max(height);
            values.push(value);
            if !self.accept(",") {
                return Ok((values, height, self.close(")", "a comma or )")?));
            }
        }
    }

    /// `op('a', 'b')`, the name being read.
    fn find(&mut self, base: Option<Node>, span: Span, must_exist: bool) -> Result<Node, ExprError> {
        let (paths, mut height, close) = self.arguments()?;
        if paths.is_empty() {
            let name = if must_exist { "opex" } else { "op" };
            return Err(self.wrong_arguments(name, span, 0, Takes::AtLeast(1)));
        }
        if let Some(base) = &base {
            height = height.max(base.height);
        } else {
            let plain = paths.iter().filter_map(|path| match &path.kind {
                Kind::Value(Value::Str(path)) => Some(path.clone()),
                _ => None,
            });
            self.references.extend(plain);
        }
        let all = base.as_ref().map_or(span, |base| base.span).to(close);
        self.node(Kind::Find { base: base.map(Box::new), paths, must_exist }, all, &[height])
    }

    /// `parent(2)`, the name being read.
    fn parent(&mut self, base: Option<Node>, span: Span) -> Result<Node, ExprError> {
        let (mut values, mut height, close) = self.arguments()?;
        if values.len() > 1 {
            return Err(self.wrong_arguments("parent", span, values.len(), Takes::Between(0, 1)));
        }
        height = base.as_ref().map_or(height, |base| base.height.max(height));
        let all = base.as_ref().map_or(span, |base| base.span).to(close);
        let levels = values.pop().map(Box::new);
        self.node(Kind::Parent { base: base.map(Box::new), levels }, all, &[height])
    }

    /// What follows a value without an operator: `.name`, `.eval()`, `[key]`.
    fn trailers(&mut self, mut node: Node) -> Result<Node, ExprError> {
        loop {
            if self.accept("[") {
                let key = self.expression(Rank::If)?;
                let column = if self.accept(",") { Some(self.expression(Rank::If)?) } else { None };
                let close = self.close("]", "an operator or ]")?;
                let column_height = column.as_ref().map_or(0, |column| column.height);
                let (all, heights) = (node.span.to(close), [node.height, key.height, column_height]);
                let kind = Kind::Index(Box::new(node), Box::new(key), column.map(Box::new));
                node = self.node(kind, all, &heights)?;
            } else if self.accept(".") {
                node = self.member(node)?;
            } else if matches!(self.peek(), Token::Sign("(")) {
                return Err(self.unexpected("an operator", "this is no function: write * to multiply"));
            } else {
                return Ok(node);
            }
        }
    }

    fn member(&mut self, base: Node) -> Result<Node, ExprError> {
        let span = self.span();
        let name = match *self.peek() {
            Token::Name(name) if !KEYWORDS.contains(&name) => name,
            _ => {
                return Err(
                    self.unexpected("a name", "write what is meant behind the dot, such as par or name")
                );
            }
        };
        self.step();
        let is_call = matches!(self.peek(), Token::Sign("("));
        match name {
            "op" if is_call => self.find(Some(base), span, false),
            "parent" if is_call => self.parent(Some(base), span),
            "eval" if is_call => {
                let (values, _, close) = self.arguments()?;
                if !values.is_empty() {
                    return Err(self.wrong_arguments("eval", span, values.len(), Takes::Exactly(0)));
                }
                let (all, height) = (base.span.to(close), base.height);
                self.node(Kind::Eval(Box::new(base)), all, &[height])
            }
            "chan" if is_call => {
                let (mut values, _, close) = self.arguments()?;
                let (Some(key), true) = (values.pop(), values.is_empty()) else {
                    return Err(self.wrong_arguments(
                        "chan",
                        span,
                        values.len().saturating_add(1),
                        Takes::Exactly(1),
                    ));
                };
                let (all, heights) = (base.span.to(close), [base.height, key.height]);
                self.node(Kind::Index(Box::new(base), Box::new(key), None), all, &heights)
            }
            _ if is_call => {
                Err(self.unknown(span, "op(), parent(), chan(), eval(), and members without ()".into()))
            }
            _ => {
                let of_parameters =
                    matches!(&base.kind, Kind::Member(_, Value::Str(name)) if &**name == "par");
                self.uses_time |= name == "time" && !of_parameters;
                let (all, height) = (base.span.to(span), base.height);
                self.node(Kind::Member(Box::new(base), name.into()), all, &[height])
            }
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Infix {
    If,
    Or,
    And,
    Comparison,
    Arithmetic(Arithmetic),
}
