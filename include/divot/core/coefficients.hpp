// SPDX-FileCopyrightText: divot contributors
// SPDX-License-Identifier: MIT
#pragma once

#include <divot/config.hpp>

#include <array>
#include <cstddef>

namespace divot {
inline namespace DIVOT_ABI {

namespace math {

/// Of the polynomials in core/math.hpp.
namespace coefficients {
/// All of them times a constant.
template <std::size_t N>
constexpr std::array<double, N> scaled(double factor, std::array<double, N> c) {
  for (double& x : c) x *= factor;
  return c;
}

// Chebyshev interpolants in 50-digit arithmetic; the relative error stands behind each.
DIVOT_CONSTANT std::array<double, 6> exp2m1_float{// (2^x − 1)/x on [−½, ½], 1.2e-8
                                                  0.69314718802622878,   0.24022650760568127,
                                                  0.055503571142190778,  0.0096180825572778515,
                                                  0.0013390863364671234, 0.00015453162945120690};
// where 2^(k/8) or 2^(k/16) comes from a table
DIVOT_CONSTANT std::array<double, 4> exp2m1_quarters{
    // the same on [−1/8, 1/8], 6e-8
    0.69314713986188133, 0.24022650225768608, 0.055524945608052057, 0.0096205361915858837};
DIVOT_CONSTANT std::array<double, 4> exp2m1_eighths{
    // the same on [−1/16, 1/16], 3.7e-9
    0.69314717801665727, 0.24022650666529184, 0.055509317289623045, 0.0096187308256793625};
DIVOT_CONSTANT std::array<double, 3> exp2m1_sixteenths{
    // the same on [−1/32, 1/32], 2.3e-9
    0.69314718055994531, 0.24023355156988721, 0.055505085251969627};
DIVOT_CONSTANT std::array<double, 12> exp2m1_double{
    // the same, 2.7e-19
    0.69314718055994530925,     0.24022650695910071233,   0.055504108664821627039,
    0.0096181291076284794928,   0.0013333558146406470697, 0.00015403530393370733411,
    0.000015252733841556772589, 1.321548680870556279e-6,  1.0178057087733941105e-7,
    7.0548973041554992774e-9,   4.455817908336064493e-10, 2.5729324177362304214e-11};
DIVOT_CONSTANT std::array<double, 6> expm1_float{
    // (e^x − 1 − x)/x² on [−½, ½], 2.7e-8
    0.5000000121607166707,    0.16666666801683435264,   0.041665791230006455393,
    0.0083332361335218625353, 0.0013982186046277751182, 0.00019944874441589590372};
DIVOT_CONSTANT std::array<double, 5> expm1_short_float{
    // the same, 8.6e-7
    0.5, 0.16666277456071397, 0.041666180575509751, 0.0083955530525361381, 0.0013966609523509412};
DIVOT_CONSTANT std::array<double, 13> expm1_double{// the same, 5.2e-20
                                                   0.5,
                                                   0.16666666666666666607,
                                                   0.04166666666666666663,
                                                   0.0083333333333333998951,
                                                   0.0013888888888888930476,
                                                   0.00019841269841056861068,
                                                   0.00002480158730145423143,
                                                   2.7557319516028308707e-6,
                                                   2.7557319406457270379e-7,
                                                   2.5051913745634797393e-8,
                                                   2.0876635370907814983e-9,
                                                   1.6121291390767836982e-10,
                                                   1.1509642370665760848e-11};
DIVOT_CONSTANT std::array<double, 4> atanh_float{
    // (2 atanh(z)/z − 2)/z² in z² ≤ .056, 2.3e-8
    0.66666665128058346243, 0.40000877914431331343, 0.28493670104555218063, 0.24399268084683188317};
DIVOT_CONSTANT std::array<double, 10> atanh_double{
    // the same, 1e-19
    0.6666666666666666666,  0.40000000000000023361, 0.28571428571414822945, 0.22222222225357035987,
    0.18181817819368013874, 0.15384639406952404182, 0.13332366965153940188, 0.1178864484892303942,
    0.10171490757147483804, 0.12364061380977581};
DIVOT_CONSTANT std::array<double, 4> atanh_third_float{
    // the same in z² ≤ 1/9, 4.1e-7
    0.66666640248033866984, 0.40007580023078232698, 0.28236034361744735689, 0.26855732610337188234};
DIVOT_CONSTANT std::array<double, 12> atanh_third_double{
    // the same, 9.4e-20
    0.66666666666666666661,  0.40000000000000015624,  0.28571428571421886478,
    0.22222222223340602406,  0.18181818085339408476,  0.15384620283714326237,
    0.13333176115594043995,  0.11768012629305744687,  0.1048022957692189439,
    0.099432238963963484089, 0.063293351553439172311, 0.15239456950018402699};
DIVOT_CONSTANT std::array<double, 4> log_cosh_float{
    // ln cosh(y)/y² in y², |y| ≤ ¼, 5e-10
    0.49999999974998125, -0.083333205239396447, 0.022211938243776531, -0.0064803985868474797};
DIVOT_CONSTANT std::array<double, 8> log_cosh_double{
    // the same, 4.3e-19
    0.49999999999999999979,    -0.083333333333332897471,   0.0222222222220756396,
    -0.0067460317272360829988, 0.0021869476686818145472,   -0.00073856231705065413968,
    0.0002558053898140368966,  -0.000083220367639608529505};
}  // namespace coefficients

}  // namespace math
}  // namespace DIVOT_ABI
}  // namespace divot
