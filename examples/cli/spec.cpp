// SPDX-FileCopyrightText: divot contributors
// SPDX-License-Identifier: MIT
#include "spec.hpp"

#include "aliases.hpp"
#include "flaw.hpp"

#include <charconv>
#include <cmath>
#include <set>
#include <sstream>

namespace cli {
namespace {

using terms = std::vector<loss_term>;

/// A factor of a product: a number, or losses if there are any.
struct factor {
  double number = 1;
  terms losses;
};

class parser {
 public:
  explicit parser(std::string_view text) : text_(text) {}

  terms parse() {
    terms all = sum();
    if (peek() != '\0') {
      bad(at_,
          peek() == ')' ? "this parenthesis closes nothing" : "'+', '-' or the end is missing");
    }
    return all;
  }

 private:
  static constexpr int deepest = 50;

  [[noreturn]] void bad(std::size_t where, std::string const& what) const {
    fail("--loss '", text_, "', character ", where + 1, ": ", what);
  }
  char peek() {
    while (at_ < text_.size() && (text_[at_] == ' ' || text_[at_] == '\t')) ++at_;
    return at_ < text_.size() ? text_[at_] : '\0';
  }
  bool accept(char c) {
    if (peek() != c) return false;
    ++at_;
    return true;
  }
  void expect(char c, std::string const& why) {
    if (!accept(c)) bad(at_, why);
  }

  terms sum() {
    if (++depth_ > deepest) bad(at_, "too many parentheses");
    terms all;
    double sign = accept('-') ? -1 : (accept('+'), 1);
    while (true) {
      for (loss_term& term : product()) {
        term.weight *= sign;
        all.push_back(std::move(term));
      }
      if (accept('+')) {
        sign = 1;
      } else if (accept('-')) {
        sign = -1;
      } else {
        break;
      }
    }
    --depth_;
    return all;
  }

  terms product() {
    peek();
    std::size_t const begin = at_;
    factor whole = one_factor();
    while (accept('*')) {
      peek();
      std::size_t const here = at_;
      factor next = one_factor();
      if (!whole.losses.empty() && !next.losses.empty()) {
        bad(here, "a loss times a loss; one of the two must be a number");
      }
      whole.number *= next.number;
      if (whole.losses.empty()) whole.losses = std::move(next.losses);
    }
    if (whole.losses.empty()) bad(begin, "a number without a loss; a weighted loss is 0.3*kl");
    for (loss_term& term : whole.losses) {
      term.weight *= whole.number;
      if (!std::isfinite(term.weight)) bad(begin, "the weight is not finite");
    }
    return whole.losses;
  }

  factor one_factor() {
    char const c = peek();
    if (c == '\0') bad(at_, "a loss is missing");
    if ((c >= '0' && c <= '9') || c == '.') return {number(), {}};
    if (accept('(')) return {1, parenthesis()};
    std::size_t const begin = at_;
    std::string const name = word();
    if (name.empty()) bad(begin, std::string("a loss cannot begin with '") + c + "'");
    if (name == "reverse") return {1, reversed(begin)};
    if (name == "symmetrized") return {1, symmetrized(begin)};
    if (alias const* const other = find_alias(name)) return {1, written_out(*other)};
    loss_entry const* const loss = find_loss(name);
    if (loss == nullptr) {
      bad(begin, "there is no loss '" + name + "'; the nearest are " + nearest_names(name));
    }
    loss_term term{loss, loss->initial_values(), false, {}, false, 1};
    if (accept('(')) arguments(term);
    return {1, {term}};
  }

  /// What an alias stands for; its temperature is that of all its terms.
  terms written_out(alias const& other) {
    loss_entry as_loss;
    as_loss.name = other.name;
    as_loss.parameters = other.parameters;
    loss_term term{&as_loss, as_loss.initial_values(), false, {}, false, 1};
    if (accept('(')) arguments(term);
    std::string const text = other.written_out(term.values);
    terms meant = parser(text).parse();
    for (loss_term& t : meant) {
      t.temperature = term.temperature;
      t.t_squared = term.t_squared;
    }
    return meant;
  }

  terms parenthesis() {
    terms inner = sum();
    expect(')', "')' is missing");
    return inner;
  }

  terms symmetrized(std::size_t begin) {
    terms both = exchanged(begin, "symmetrized");
    for (std::size_t i = 0, n = both.size(); i < n; ++i) {
      both.push_back(both[i]);
      both.back().reversed = !both.back().reversed;
    }
    return both;
  }
  terms reversed(std::size_t begin) { return exchanged(begin, "reverse"); }

  /// The reverse of a sum in parentheses after `word`.
  terms exchanged(std::size_t begin, std::string const& word) {
    expect('(', word + " takes a divergence: " + word + "(kl)");
    terms inner = sum();
    expect(')',
           peek() == ',' ? "keys stand inside: " + word + "(kl(temperature=2))" : "')' is missing");
    for (loss_term& term : inner) {
      if (!term.loss->has_teacher) bad(begin, term.loss->name + " has no reverse");
      term.reversed = !term.reversed;
    }
    return inner;
  }

  void arguments(loss_term& term) {
    std::set<std::string> seen;
    if (accept(')')) return;
    do {
      peek();
      std::size_t const begin = at_;
      std::string const key = word();
      if (key.empty()) bad(begin, "a key is missing, as in " + term.loss->name + "(temperature=2)");
      if (!seen.insert(key).second) bad(begin, "'" + key + "' is given twice");
      expect('=', "'=' is missing after '" + key + "'");
      if (key == "t_squared") {
        term.t_squared = boolean(key);
      } else if (key == "temperature") {
        peek();
        std::size_t const here = at_;
        term.temperature = number();
        if (*term.temperature <= 0) bad(here, "a temperature must be greater than 0");
      } else {
        parameter(term, key, begin) = key == "order" && infinity() ? HUGE_VAL : number();
      }
    } while (accept(','));
    expect(')', "',' or ')' is missing");
  }

  double& parameter(loss_term& term, std::string const& key, std::size_t begin) const {
    std::string allowed;
    for (std::size_t i = 0; i < term.values.size(); ++i) {
      if (term.loss->parameters[i].name == key) return term.values[i];
      allowed += term.loss->parameters[i].name + ", ";
    }
    bad(begin, term.loss->name + " has no key '" + key + "'; it has " + allowed +
                   "temperature, t_squared");
  }

  bool infinity() {
    peek();
    if (text_.substr(at_, 3) != "inf") return false;
    at_ += 3;
    return true;
  }

  bool boolean(std::string const& key) {
    peek();
    std::size_t const begin = at_;
    std::string const value = word();
    if (value != "true" && value != "false") bad(begin, "'" + key + "' is true or false");
    return value == "true";
  }

  /// A finite number, with a sign if there is one.
  double number() {
    peek();
    std::size_t const begin = at_;
    if (at_ < text_.size() && text_[at_] == '+') ++at_;  // from_chars knows only '-'
    double value = 0;
    auto const [end, status] =
        std::from_chars(text_.data() + at_, text_.data() + text_.size(), value);
    if (status == std::errc::result_out_of_range) bad(begin, "the number is out of range");
    if (status != std::errc()) bad(begin, "a number is missing");
    at_ = static_cast<std::size_t>(end - text_.data());
    if (!std::isfinite(value)) bad(begin, "the number must be finite");
    return value;
  }

  std::string word() {
    peek();
    std::size_t const begin = at_;
    auto const is_letter = [](char c) {
      return c == '_' || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
    };
    while (at_ < text_.size() && is_letter(text_[at_])) ++at_;
    return std::string(text_.substr(begin, at_ - begin));
  }

  std::string_view text_;
  std::size_t at_ = 0;
  int depth_ = 0;
};

}  // namespace

std::string loss_term::text() const {
  std::ostringstream out;
  out.precision(15);
  if (reversed) out << "reverse(";
  out << loss->name;
  char separator = '(';
  auto const key = [&](std::string_view name) -> std::ostream& {
    out << separator << name << '=';
    separator = ',';
    return out;
  };
  for (std::size_t i = 0; i < values.size(); ++i) key(loss->parameters[i].name) << values[i];
  if (temperature) key("temperature") << *temperature;
  if (t_squared) key("t_squared") << "true";
  if (separator == ',') out << ')';
  if (reversed) out << ')';
  return out.str();
}

std::vector<loss_term> parse_spec(std::string_view text) { return parser(text).parse(); }

}  // namespace cli
