using HeartGrains.Gateway.Resilience;
using HeartGrains.Hearts;
using HeartGrains.Moderation;

namespace HeartGrains.Gateway.Operations;

/// <summary>Writes an operator's order into the log.</summary>
internal sealed class NoteCall(DeskNote note, HeartOrigin origin) : GrainCall<HeartOutcome>
{
    private IModerationGrain _grain = null!;

    public override GrainPath Path => GrainPath.Desk;

    public override void Address(GrainAddresses addresses) => _grain = addresses.Moderation();

    protected override ValueTask<HeartOutcome> SendAsync(CancellationToken cancellationToken) => _grain.NoteAsync(note, origin, cancellationToken);

    protected override HeartOutcome OutcomeOf(in HeartOutcome value) => value;
}
