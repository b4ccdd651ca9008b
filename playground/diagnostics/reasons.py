"""Why a run is as it is: two or three plain sentences for each finding of the verdict."""

BROKEN = (
    "An update was so large that the next loss overflowed, and NaN spreads to every weight at once. Nothing "
    "trained from here is of use: go back to the last good moment and take smaller steps."
)
OUTWARD = (
    "The two players drive each other outwards faster than either can correct. Go back to the last good moment "
    "and take smaller steps."
)
HEALTHY_MODES = (
    "Every mode gets at least 8 % of the share it should have, and most fakes lie within three standard "
    "deviations of a centre. D finds it hard to tell fakes from points it has not seen, which is what winning "
    "looks like for G."
)
HEALTHY = (
    "Nearly every real point has a fake among its nearest neighbours, and nearly every fake lies where data lies. "
    "What is left of the difference is close to what two samples of the data itself would show."
)
EARLY = (
    "G starts as a small blob that knows nothing of the data, and D has to learn where the data lies before its "
    "advice is worth anything. What looks like collapse in the first few hundred steps is usually just the start."
)
VANISHING = (
    "D is so sure of itself that its answer no longer changes when a fake moves a little, so G gets no hint where "
    "to go. With the minimax loss this happens exactly when G is worst; other losses keep a slope there."
)
CHASE = (
    "G runs to where D is weak, D learns that place, and G runs on: the two chase each other instead of meeting. "
    "Smaller steps or a smoother D damp the chase."
)
HOP = (
    "G runs to the modes where D is weak, D learns those, and G runs on: the two chase each other instead of "
    "meeting. Each picture by itself looks like mode collapse; the movement is what gives it away."
)
OVERPOWERED = (
    "A D that is never wrong tells G that all fakes are equally bad, so G is pushed hard in no useful direction. "
    "Make D's task harder or slow it down until it errs now and then."
)
COLLAPSED = (
    "G has found one place that fools D and sends all its noise there. D then learns that place, but can only "
    "push the whole heap elsewhere: nothing in D's single-point view tells G that its fakes are all alike."
)
MISSING = (
    "The missing modes cost G nothing: D judges one point at a time, so fakes that all sit on the other modes "
    "pass. Once no fake lies near a mode, no gradient leads there any more."
)
UNCOVERED = (
    "The parts of the data without fakes cost G nothing: D judges one point at a time, so fakes crowded on the "
    "other parts pass. Precision without coverage is what collapse looks like where there are no modes to count."
)
NARROWED = (
    "G has found each mode but shrinks it to a dot: its centre is the safest place to fool D. The high share of "
    "sharp fakes hides it; a perfect G would leave 1.1 % outside three standard deviations."
)
UNFINISHED = (
    "Nothing is wrong that has a name: the fakes are spread out, and neither player has won. Fakes between the "
    "modes are bridges that a continuous G can thin out but never tear; give it time."
)
SPIRAL_OUT = (
    "Each step goes along the tangent of a circle, and a straight step along a tangent always ends a little "
    "further out. Smaller steps only slow this down; alternating updates or a penalty on D's slope change it."
)
SPIRAL_IN = (
    "Something damps the circling: a penalty on D's slope, noise on the data or an optimiser that looks ahead. "
    "Without damping the two would chase each other for ever, since neither loss has a minimum the other leaves "
    "alone."
)
CIRCLE = (
    "Each player's gradient is at right angles to the way home, so together they run round the equilibrium, not "
    "into it. This happens in GANs of any size; here it can be seen in a plane."
)
WEAK_D = (
    "G learns only what D can tell apart. A D at chance whose fakes are this poor has not learned the data yet, so G "
    "wanders; a D loss at its theory line means that G has won only if the fakes are good too."
)
HEAP_HOPS = (
    "All fakes run together to the place where D is weakest. D learns that place and the whole heap runs on to the "
    "next, so each picture shows one mode, and over time all of them are visited and none is kept."
)
