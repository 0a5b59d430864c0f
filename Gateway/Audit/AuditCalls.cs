using HeartGrains.Audit;
using HeartGrains.Gateway.Resilience;
using HeartGrains.Hearts;

namespace HeartGrains.Gateway.Audit;

/// <summary>A call for operators: it takes its time, and tells the hearts' breaker nothing.</summary>
internal abstract class AuditCall<T> : GrainCall<T>
{
    public override GrainPath Path => GrainPath.Audit;

    protected abstract bool IsAvailable(in T value);

    protected override HeartOutcome OutcomeOf(in T value) => IsAvailable(value) ? HeartOutcome.Committed : HeartOutcome.LedgerUnavailable;
}

/// <summary>Reads a page of events.</summary>
internal sealed class EventRead(EventRequest request) : AuditCall<EventPage>
{
    private IEventListGrain _grain = null!;

    public override void Address(GrainAddresses addresses) => _grain = addresses.Events();

    protected override ValueTask<EventPage> SendAsync(CancellationToken cancellationToken) => _grain.ReadAsync(request, cancellationToken);

    protected override bool IsAvailable(in EventPage value) => value.IsAvailable;
}

/// <summary>Reads a target as it was.</summary>
internal sealed class AsOfRead(string targetId, long atMicros) : AuditCall<TargetAt>
{
    private IEventListGrain _grain = null!;

    public override void Address(GrainAddresses addresses) => _grain = addresses.Events();

    protected override ValueTask<TargetAt> SendAsync(CancellationToken cancellationToken) => _grain.AsOfAsync(targetId, atMicros, cancellationToken);

    protected override bool IsAvailable(in TargetAt value) => value.IsAvailable;
}

/// <summary>Compares a target with its log.</summary>
internal sealed class TargetVerification(string targetId, bool repair, HeartOrigin origin) : AuditCall<TargetAnswer>
{
    private IVerifyGrain _grain = null!;

    public override void Address(GrainAddresses addresses) => _grain = addresses.Verification(targetId);

    protected override ValueTask<TargetAnswer> SendAsync(CancellationToken cancellationToken) => _grain.VerifyAsync(repair, origin, cancellationToken);

    protected override bool IsAvailable(in TargetAnswer value) => value.IsAvailable;
}
