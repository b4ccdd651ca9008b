"""Why a generator of images is as it is: two or three plain sentences for each finding of its verdict."""

HEALTHY = (
    "Every class has its share of the fakes, most fakes lie where real images lie, and most real images have fakes "
    "beside them, as a network trained on this data sees them. The floors beside the scores say how far it is from a "
    "perfect sampler."
)
EARLY = (
    "At first all noise gives about the same grey picture, and D has to learn what an image looks like before its "
    "advice is worth anything. What looks like collapse in the first few hundred steps is usually just the start."
)
COPIED = (
    "A fake counts as a copy where it lies nearer to one training image, for its surroundings, than nearly all images "
    "do that training never saw. Copies score well on everything else, so only this comparison shows them."
)
HEAP = (
    "G has found one picture that fools D and makes it of all noise. D learns that picture, but can only push all "
    "fakes to another: nothing in D's view of single images tells G that its fakes are all alike."
)
HEAP_HOPS = (
    "All fakes are about one picture. D learns it and the whole heap runs on to the next, so over time many classes "
    "come up and none is kept."
)
HOP = (
    "G runs to the classes where D is weak, D learns those, and G runs on: the two chase each other instead of "
    "meeting. Each wall of samples by itself looks like mode collapse; the movement is what gives it away."
)
MISSING = (
    "The missing classes cost G nothing: D judges one image at a time, so fakes that all show the other classes pass. "
    "Once no fake looks like a class, no gradient leads there any more."
)
UNCOVERED = (
    "The kinds of images without fakes cost G nothing: D judges one image at a time, so fakes crowded on the others "
    "pass. Precision without coverage is what collapse looks like where there are no classes to count."
)
ALIKE = (
    "Each class has its share, but within a class the fakes resemble each other far more than real images do: G keeps "
    "to a safe picture of each. The count of classes hides it."
)
UNFINISHED = (
    "Nothing is wrong that has a name: no class is given up, and neither player has won. Fakes between the classes "
    "are bridges that a continuous G can thin out but never tear; give it time."
)
UNSEEN = (
    "The scores hold fakes against real images that training never saw, and it takes at least 20 of those to say "
    "anything. Bring more images."
)
