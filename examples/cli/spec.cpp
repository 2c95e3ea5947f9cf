// SPDX-FileCopyrightText: divot contributors
// SPDX-License-Identifier: MIT
#include "spec.hpp"

#include "aliases.hpp"
#include "flaw.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <set>
#include <string>
#include <utility>

namespace cli {
namespace {

using parts = std::vector<loss_part>;

/// A factor of a product: a number, or losses if there are any.
struct factor {
  double number = 1;
  parts losses;
};

class parser {
 public:
  explicit parser(std::string_view text) : text_(text) {}

  parts parse() {
    parts all = sum();
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

  parts sum() {
    if (++depth_ > deepest) bad(at_, "too many parentheses");
    parts all;
    double sign = accept('-') ? -1 : (accept('+'), 1);
    while (true) {
      for (loss_part& part : product()) {
        part.weight *= sign;
        all.push_back(std::move(part));
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

  parts product() {
    peek();
    std::size_t const begin = at_;
    factor whole = one_factor();
    while (true) {
      bool const divided = accept('/');
      if (!divided && !accept('*')) break;
      peek();
      std::size_t const here = at_;
      factor next = one_factor();
      if (divided) {
        if (!next.losses.empty()) bad(here, "what stands behind a / must be a number");
        next.number = 1 / next.number;
      }
      if (!whole.losses.empty() && !next.losses.empty()) {
        bad(here, "a loss times a loss; one of the two must be a number");
      }
      whole.number *= next.number;
      if (whole.losses.empty()) whole.losses = std::move(next.losses);
    }
    if (whole.losses.empty()) bad(begin, "a number without a loss; a weighted loss is 0.3*kl");
    for (loss_part& part : whole.losses) {
      part.weight *= whole.number;
      if (!std::isfinite(part.weight)) bad(begin, "the weight is not finite");
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
    if (name == "skew") return {1, skewed(begin)};
    if (name == "power") return {1, powered(begin)};
    alias const* const other = find_alias(name);
    loss_entry const* const loss = other != nullptr ? other->same_loss() : find_loss(name);
    if (loss == nullptr && other != nullptr) return {1, written_out(*other)};
    if (loss == nullptr) {
      bad(begin, "there is no loss '" + name + "'; the nearest are " + nearest_names(name));
    }
    loss_term term{loss, loss->initial_values()};
    if (accept('(')) arguments(term);
    return {1, {loss_part{{term}}}};
  }

  /// What an alias stands for; its temperature is that of all its terms.
  parts written_out(alias const& other) {
    loss_entry as_loss;
    as_loss.name = other.name;
    as_loss.parameters = other.parameters;
    loss_term term{&as_loss, as_loss.initial_values()};
    if (accept('(')) arguments(term);
    std::string const text = other.written_out(term.values);
    parts meant = parser(text).parse();
    for (loss_part& part : meant) {
      for (loss_term& t : part.terms) {
        t.temperature = term.temperature;
        t.t_squared = term.t_squared;
      }
    }
    return meant;
  }

  parts parenthesis() {
    parts inner = sum();
    expect(')', "')' is missing");
    return inner;
  }

  parts symmetrized(std::size_t begin) {
    parts both = divergences(begin, "symmetrized", "");
    closed("symmetrized");
    parts other = both;
    reverse(other);
    both.insert(both.end(), other.begin(), other.end());
    return both;
  }
  parts reversed(std::size_t begin) {
    parts inner = divergences(begin, "reverse", "");
    closed("reverse");
    reverse(inner);
    return inner;
  }
  static void reverse(parts& all) {
    for (loss_part& part : all) {
      for (loss_term& term : part.terms) term.reverse();
    }
  }

  parts skewed(std::size_t begin) {
    parts inner = divergences(begin, "skew", ",0.1");
    auto const [weight, here] = number_behind("skew", "teacher_weight", "0.1");
    if (!(weight > 0 && weight < 1)) {
      bad(here,
          "a skew's weight of the teacher must lie in (0, 1): at 0 it is the divergence "
          "itself, at 1 it is 0");
    }
    for (loss_part& part : inner) {
      for (loss_term& term : part.terms) term.skew(weight);
    }
    return inner;
  }

  parts powered(std::size_t begin) {
    parts inner = divergences(begin, "power", ",0.5");
    auto const [exponent, here] = number_behind("power", "exponent", "0.5");
    if (!(exponent > 0)) bad(here, "an exponent must be greater than 0");
    loss_part all{{}, 1, exponent};
    for (loss_part& part : inner) {
      if (part.exponent != 1) bad(begin, "a power inside a power; multiply their exponents");
      for (loss_term& term : part.terms) {
        term.weight *= part.weight;
        if (term.weight < 0) {
          bad(begin, "a power takes weights that are not negative; that of " + term.text() + " is");
        }
        all.terms.push_back(std::move(term));
      }
    }
    return {all};
  }

  /// The sum in parentheses after `word`, up to what ends it.
  parts divergences(std::size_t begin, std::string const& word, std::string const& rest) {
    expect('(', word + " takes a divergence: " + word + "(kl" + rest + ")");
    parts inner = sum();
    for (loss_part const& part : inner) {
      for (loss_term const& term : part.terms) {
        if (!term.loss->has_teacher) {
          bad(begin, term.loss->name + (word == "skew" || word == "power" ? " has no " + word
                                                                          : " has no reverse"));
        }
      }
    }
    return inner;
  }
  void closed(std::string const& word) {
    expect(')',
           peek() == ',' ? "keys stand inside: " + word + "(kl(temperature=2))" : "')' is missing");
  }
  /// The number behind the sum, and where it stands; its key may be left out.
  std::pair<double, std::size_t> number_behind(std::string const& word, std::string const& key,
                                               std::string const& example) {
    expect(',', "the " + key + " is missing, as in " + word + "(kl," + example + ")");
    peek();
    std::size_t here = at_;
    std::string const name = word_here();
    if (!name.empty()) {
      if (name != key) bad(here, word + " has no key '" + name + "'; it has " + key);
      expect('=', "'=' is missing after '" + key + "'");
      peek();
      here = at_;
    }
    double const value = number();
    expect(')', peek() == ',' ? "keys stand inside: " + word + "(kl(temperature=2)," + example + ")"
                              : "')' is missing");
    return {value, here};
  }
  /// A word that begins with a letter, if one is next.
  std::string word_here() {
    char const c = peek();
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ? word() : std::string();
  }

  void arguments(loss_term& term) {
    std::set<std::string> seen;
    if (accept(')')) return;
    do {
      peek();
      std::size_t const begin = at_;
      std::string const key = word_here();
      if (key.empty()) {
        loss_term const example{term.loss, term.loss->initial_values()};
        bad(begin,
            "a key is missing, as in " +
                (example.values.empty() ? term.loss->name + "(temperature=2)" : example.text()));
      }
      bool const tempered = !term.loss->own_call;
      if (!seen.insert(key).second) bad(begin, "'" + key + "' is given twice");
      expect('=', "'=' is missing after '" + key + "'");
      if (tempered && key == "t_squared") {
        term.t_squared = boolean(key);
      } else if (tempered && key == "temperature") {
        peek();
        std::size_t const here = at_;
        term.temperature = number();
        if (*term.temperature <= 0) bad(here, "a temperature must be greater than 0");
      } else {
        std::size_t const i = parameter(term, key, begin);
        if (term.loss->parameters[i].is_file) {
          term.file = file_name(key);
          continue;
        }
        auto const& choices = term.loss->parameters[i].choices;
        term.values[i] = !choices.empty()               ? choice(key, choices)
                         : key == "order" && infinity() ? HUGE_VAL
                                                        : number();
      }
    } while (accept(','));
    expect(')', "',' or ')' is missing");
  }

  std::size_t parameter(loss_term const& term, std::string const& key, std::size_t begin) const {
    std::vector<std::string> allowed;
    for (std::size_t i = 0; i < term.values.size(); ++i) {
      allowed.push_back(term.loss->parameters[i].name);
      if (allowed.back() == key) return i;
    }
    if (!term.loss->own_call) allowed.insert(allowed.end(), {"temperature", "t_squared"});
    bad(begin, term.loss->name + " has no key '" + key + "'; it has " + joined(allowed, ", "));
  }

  static std::string joined(std::vector<std::string> const& words, char const* between) {
    std::string text;
    for (std::string const& word : words) text.append(text.empty() ? "" : between).append(word);
    return text;
  }

  /// The place of the word that stands here among the choices.
  double choice(std::string const& key, std::vector<std::string> const& choices) {
    peek();
    std::size_t const begin = at_;
    auto const found = std::find(choices.begin(), choices.end(), word());
    if (found == choices.end()) bad(begin, "'" + key + "' is " + joined(choices, " or "));
    return static_cast<double>(found - choices.begin());
  }

  /// Everything up to the next comma or parenthesis.
  std::string file_name(std::string const& key) {
    peek();
    std::size_t const begin = at_;
    at_ = std::min(text_.find_first_of(",)", at_), text_.size());
    std::size_t end = at_;
    while (end > begin && (text_[end - 1] == ' ' || text_[end - 1] == '\t')) --end;
    if (end == begin) bad(begin, "'" + key + "' is the name of a file, which is missing");
    return std::string(text_.substr(begin, end - begin));
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

std::vector<loss_part> parse_spec(std::string_view text) { return parser(text).parse(); }

}  // namespace cli
