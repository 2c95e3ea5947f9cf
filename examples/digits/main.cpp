// SPDX-FileCopyrightText: divot contributors
// SPDX-License-Identifier: MIT

// Students distilled with many losses on handwritten digits: a table and a page of pictures.

#include "parallel.hpp"
#include "report.hpp"
#include "thumbnails.hpp"

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <iostream>
#include <string_view>

namespace digits {

namespace {

constexpr char const* usage =
    R"(usage: digits [--out FOLDER] [--data FILE] [--quick]
       digits --two-humps FILE.svg

  --out FOLDER      where report.html and its pictures go (build/demo)
  --data FILE       the digits, one image a line (examples/data/digits.csv)
  --quick           few and short trainings, to see that everything works
  --two-humps FILE  only the picture of the two-humped teacher
)";

struct options {
  std::filesystem::path data = DIGITS_DATA, out = "build/demo", two_humps;
  bool quick = false, help = false;
};

/// What is wrong with the command line.
struct usage_error : std::runtime_error {
  using std::runtime_error::runtime_error;
};

options parse(int count, char** arguments) {
  options result;
  for (int i = 1; i < count; ++i) {
    std::string_view const name = arguments[i];
    auto const next = [&] {
      if (++i == count) throw usage_error(std::string(name) + " needs a value");
      return std::filesystem::path(arguments[i]);
    };
    if (name == "--out") {
      result.out = next();
    } else if (name == "--data") {
      result.data = next();
    } else if (name == "--two-humps") {
      result.two_humps = next();
    } else if (name == "--quick") {
      result.quick = true;
    } else if (name == "--help" || name == "-h") {
      result.help = true;
    } else {
      throw usage_error("unknown option " + std::string(name));
    }
  }
  return result;
}

/// The file holds its writers one after the other; the last five write the test images.
constexpr Eigen::Index training_images = 1157;

std::vector<fitted> fit_humps(std::vector<loss> const& losses) {
  std::vector<fitted> fits;
  for (char const* name : {"KL", "Jensen–Shannon", "Jeffreys", "reverse KL", "α-β (0.8, 0.3)",
                           "α-β (0.5, 0.5)", "α-β (0.2, 0.7)", "total variation"}) {
    for (loss const& each : losses) {
      if (each.name == name) fits.push_back({each, fit(each)});
    }
  }
  return fits;
}

std::vector<plane_point> fit_plane(std::vector<plane_point> points) {
  parallel_for(points.size(), [&](std::size_t i) {
    points[i].student = fit(alpha_beta_loss(points[i].alpha, points[i].beta)).front().student;
  });
  return points;
}

std::vector<clouds> measure_log_ratios(std::vector<loss> const& losses, exam const& test,
                                       network& student) {
  constexpr Eigen::Index images = 40;
  std::vector<Eigen::Index> chosen;
  for (Eigen::Index i = 0; i < images; ++i) chosen.push_back(i * test.test().size() / images);
  matrix const logits = student.forward(select(test.test(), chosen).images);
  std::vector<clouds> all;
  for (char const* name : {"KL", "KL, T = 4", "skew KL 0.1", "reverse KL", "α-β (0.8, 0.3)",
                           "α-β (0.2, 0.7)", "Jensen–Shannon", "total variation"}) {
    for (loss const& each : losses) {
      if (each.name == name) all.push_back({each, step_and_measure(each, test, chosen, logits)});
    }
  }
  return all;
}

/// How many times the images that `compare_settings` shows to its students.
constexpr int more_images = 10;

void require_each_digit(dataset const& train, int least, std::filesystem::path const& file) {
  for (int digit = 0; digit < classes; ++digit) {
    auto const count = std::count(train.labels.begin(), train.labels.end(), digit);
    if (count < least) {
      throw data_error(file.string() + ": the digit " + std::to_string(digit) + " stands in " +
                       std::to_string(count) + " of the first " + std::to_string(train.size()) +
                       " lines; at least " + std::to_string(least) + " are needed");
    }
  }
}

/// What the report says about its own choices: the same students with plenty of clean images, and
/// a loss at a temperature at which it does not train.
void compare_settings(findings& found, std::vector<loss> const& losses, dataset const& train,
                      network& teacher, network& second, std::vector<lesson> const& lessons,
                      exam const& test) {
  settings plenty = found.how;
  plenty.images_per_digit *= more_images;
  plenty.epochs /= more_images;
  plenty.noise = 0;
  found.plenty_per_digit = plenty.images_per_digit;
  std::vector<loss> two;
  for (loss const& each : losses) {
    if (each.name == "labels only" || each.name == "KL") two.push_back(each);
  }
  auto const many = prepare_lessons(train, teacher, second, plenty);
  progress shown("controls", 3 * lessons.size());
  found.plenty = summarise(train_students(two, many, test, plenty, shown));
  found.neyman_at_one =
      summarise(train_students({neyman_at_one()}, lessons, test, found.how, shown)).front();
}

void demonstrate(options const& chosen) {
  auto const start = std::chrono::steady_clock::now();
  dataset const all = read_digits(chosen.data);
  if (all.size() <= training_images) {
    throw data_error(chosen.data.string() + ':' + std::to_string(all.size()) +
                     ": the file ends here; " + "more than " + std::to_string(training_images) +
                     " images are needed");
  }
  std::filesystem::create_directories(chosen.out);

  findings found;
  settings& how = found.how;
  if (chosen.quick) {
    how.seeds = 2;
    how.epochs = 60;
    how.teacher_epochs = 15;
  }
  dataset const train = slice(all, 0, training_images);
  require_each_digit(train, more_images * how.images_per_digit, chosen.data);
  dataset const held_out = slice(all, training_images, all.size() - training_images);
  found.training_images = train.size();
  found.test_images = held_out.size();
  network teacher = train_teacher(train, how), second = train_teacher(train, how, 3);
  exam const test(held_out, teacher.forward(held_out.images));
  found.teacher = test.grade(test.teacher());
  std::cout << "teacher: 2 hidden layers of " << how.teacher_width << " units, " << train.size()
            << " images\nstudents: 1 hidden layer of " << how.student_width << " units, "
            << how.images_per_digit << " images of each digit, " << how.steps() << " steps, "
            << how.seeds << " seeds\n\n"
            << std::flush;

  auto const losses = all_losses();
  auto const lessons = prepare_lessons(train, teacher, second, how);
  progress shown("students", losses.size() * lessons.size());
  found.steps = checkpoints(how);
  found.students = train_students(losses, lessons, test, how, shown);
  found.rows = summarise(found.students);
  compare_settings(found, losses, train, teacher, second, lessons, test);
  print_table(std::cout, found.rows, found.teacher);
  std::cout << std::flush;

  found.humps = fit_humps(losses);
  std::vector<plane_point> line, plane;
  for (int i = 0; i <= 10; ++i) line.push_back({i / 10., 1 - i / 10., {}});
  int const cells = chosen.quick ? 5 : 24;
  for (int i = 0; i <= cells; ++i) {
    for (int j = 0; j <= cells; ++j) plane.push_back({1.2 * i / cells, 1.2 * j / cells, {}});
  }
  found.line = fit_plane(line);
  found.plane = fit_plane(plane);
  network half = train_student(losses.front(), lessons.front(), how, how.steps() / 8);
  found.ratios = measure_log_ratios(losses, test, half);
  auto const transport = std::find_if(
      losses.begin(), losses.end(), [](loss const& each) { return each.name == student_of_plans; });
  found.plans = follow_plans(*transport, lessons.front(), test, how,
                             {how.steps() / 80, how.steps() / 8, how.steps()});
  found.thumbnails = draw_thumbnails(train, lessons.front());
  write_report(found, chosen.out);

  std::chrono::duration<double> const took = std::chrono::steady_clock::now() - start;
  if (!have_gnuplot()) std::cout << "gnuplot was not found: the report has no pictures\n";
  std::cout << "report: " << (chosen.out / "report.html").string() << "   ("
            << fixed(took.count(), 1) << " s)\n";
}

}  // namespace

}  // namespace digits

int main(int count, char** arguments) {
  using namespace digits;
  try {
    options const chosen = parse(count, arguments);
    if (chosen.help) {
      std::cout << usage;
    } else if (!chosen.two_humps.empty()) {
      if (!have_gnuplot())
        throw std::runtime_error("--two-humps needs gnuplot, which was not found");
      draw(draw_two_humps(fit_humps(all_losses())), chosen.two_humps);
    } else {
      demonstrate(chosen);
    }
    return 0;
  } catch (usage_error const& flaw) {
    std::cerr << "digits: " << flaw.what() << '\n' << usage;
    return 2;
  } catch (data_error const& flaw) {
    std::cerr << "digits: " << flaw.what() << '\n';
    return 2;
  } catch (std::exception const& flaw) {
    std::cerr << "digits: " << flaw.what() << '\n';
    return 1;
  }
}
