using HeartGrains.Gateway.Resilience;
using HeartGrains.Hearts;

namespace HeartGrains.Gateway.Hearts;

/// <summary>Gives or withdraws a user's heart.</summary>
internal sealed class HeartWrite(string targetId, string userId, HeartOrigin? origin, bool isGiven) : GrainCall<HeartReceipt>
{
    // A commit usually takes a few milliseconds.
    private const int SlowLedgerMillis = 100;

    private IHeartGrain _grain = null!;

    public override void Address(GrainAddresses addresses) => _grain = addresses.Heart(targetId);

    protected override bool WaitedForLedger(in HeartReceipt value) => value.LedgerMillis >= SlowLedgerMillis;

    protected override ValueTask<HeartReceipt> SendAsync(CancellationToken cancellationToken) =>
        isGiven ? _grain.GiveAsync(userId, origin, cancellationToken) : _grain.WithdrawAsync(userId, origin, cancellationToken);

    protected override HeartOutcome OutcomeOf(in HeartReceipt value) => value.Outcome;
}

/// <summary>Reads one target.</summary>
internal sealed class HeartRead(string targetId, string? userId) : GrainCall<HeartState>
{
    private IHeartGrain _grain = null!;

    public override void Address(GrainAddresses addresses) => _grain = addresses.Heart(targetId);

    protected override ValueTask<HeartState> SendAsync(CancellationToken cancellationToken) => _grain.ReadAsync(userId, cancellationToken);

    protected override HeartOutcome OutcomeOf(in HeartState value) => value.Outcome;
}

/// <summary>Reads many targets in one round of parallel calls.</summary>
internal sealed class HeartBatchRead(string[] targetIds, string? userId) : GrainCall<HeartState[]>
{
    private IHeartGrain[] _grains = null!;

    public override void Address(GrainAddresses addresses) => _grains = Array.ConvertAll(targetIds, addresses.Heart);

    protected override async ValueTask<HeartState[]> SendAsync(CancellationToken cancellationToken)
    {
        var reads = new Task<HeartState>[_grains.Length];
        for (var index = 0; index < _grains.Length; index++) reads[index] = _grains[index].ReadAsync(userId, cancellationToken).AsTask();
        return await Task.WhenAll(reads);
    }

    protected override HeartOutcome OutcomeOf(in HeartState[] value)
    {
        foreach (ref readonly var state in value.AsSpan())
        {
            if (state.Outcome != HeartOutcome.Committed) return state.Outcome;
        }

        return HeartOutcome.Committed;
    }
}

/// <summary>Reads a page of a target's users.</summary>
internal sealed class HeartUsersRead(string targetId, long before, int limit) : GrainCall<HeartUsers>
{
    private IHeartListGrain _grain = null!;

    public override void Address(GrainAddresses addresses) => _grain = addresses.Lists();

    protected override ValueTask<HeartUsers> SendAsync(CancellationToken cancellationToken) =>
        _grain.UsersAsync(targetId, before, limit, cancellationToken);

    protected override HeartOutcome OutcomeOf(in HeartUsers value) =>
        value.IsAvailable ? HeartOutcome.Committed : HeartOutcome.LedgerUnavailable;
}

/// <summary>Reads the top list.</summary>
internal sealed class HeartTopRead(int limit) : GrainCall<HeartTop>
{
    private IHeartListGrain _grain = null!;

    public override void Address(GrainAddresses addresses) => _grain = addresses.Lists();

    protected override ValueTask<HeartTop> SendAsync(CancellationToken cancellationToken) => _grain.TopAsync(limit, cancellationToken);

    protected override HeartOutcome OutcomeOf(in HeartTop value) =>
        value.IsAvailable ? HeartOutcome.Committed : HeartOutcome.LedgerUnavailable;
}
