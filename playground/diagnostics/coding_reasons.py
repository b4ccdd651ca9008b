"""Why a model that codes is as it is: two or three plain sentences for each finding of its verdict."""

BROKEN = (
    "An update was too large: the weights have left the region where the loss falls, and each further step makes it "
    "worse. Go back to the last good moment and take smaller steps."
)
EARLY = (
    "At first every item is rebuilt as the same grey mean. Codings begin to tell items apart within a few hundred "
    "steps; what looks dead before that is usually just the start."
)
STACKING = (
    "Each layer first learns by itself to rebuild what the layer before it puts out. Until the innermost one is done "
    "the whole net cannot rebuild an item: its reconstructions look like nothing yet, and that is no fault."
)
COLLAPSED = (
    "Saying anything costs nats, and early on a code is too noisy to be worth them: the encoder gives up and sends "
    "the prior for every item, and the decoder learns to do without. The reconstructions are then all alike, the mean "
    "item."
)
PRUNED = (
    "A coding pays for itself only if it saves the decoder more nats than it costs. These do not: the encoder sends "
    "pure noise there and the decoder has learned to ignore it. In a linear VAE they are the directions whose "
    "variance lies below β σ²; some pruning is honest, most of a code is not."
)
COPIED = (
    "There is room enough to pass every number through, so the cheapest answer is to copy, and copying needs to know "
    "nothing of the data: items whose numbers are shuffled come out as good as real ones. The codings then mean "
    "little."
)
DEAD = (
    "A coding that puts out the same for every item tells nothing, and a unit stuck at zero passes no gradient, so it "
    "cannot come back by itself. The room is paid for and not used."
)
OVERFIT = (
    "The net has begun to learn single items by heart. What it gains on those does not carry over to items it has "
    "never seen. Stop here, go back to the best moment, or make learning by heart harder."
)
IMPROVING = (
    "Nothing is wrong that has a name, and held-out items are still rebuilt better from score to score; give it time. "
    "An autoencoder that is to beat PCA has to find curves where PCA has straight lines."
)
BLURRED = (
    "Where the code leaves a doubt, a loss that looks at each number by itself is smallest at the mean of what could "
    "be there, and the mean of sharp pictures is blurred. More room in the code or another likelihood leaves less in "
    "doubt."
)
HEALTHY = (
    "Held-out items are rebuilt about as well as training items, the codings are in use, and shuffled items are not "
    "copied: what the net has learned is about the data."
)
