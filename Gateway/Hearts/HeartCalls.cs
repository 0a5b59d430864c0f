using HeartGrains.Gateway.Resilience;
using HeartGrains.Hearts;

namespace HeartGrains.Gateway.Hearts;

/// <summary>Gives or withdraws a user's heart.</summary>
internal sealed class HeartWrite(IHeartGrain grain, string userId, bool isGiven) : GrainCall<HeartReceipt>
{
    protected override ValueTask<HeartReceipt> SendAsync(CancellationToken cancellationToken) =>
        isGiven ? grain.GiveAsync(userId, cancellationToken) : grain.WithdrawAsync(userId, cancellationToken);

    protected override HeartOutcome OutcomeOf(in HeartReceipt value) => value.Outcome;
}

/// <summary>Reads one target.</summary>
internal sealed class HeartRead(IHeartGrain grain, string? userId) : GrainCall<HeartState>
{
    protected override ValueTask<HeartState> SendAsync(CancellationToken cancellationToken) => grain.ReadAsync(userId, cancellationToken);

    protected override HeartOutcome OutcomeOf(in HeartState value) => value.Outcome;
}

/// <summary>Reads many targets in one round of parallel calls.</summary>
internal sealed class HeartBatchRead(IHeartGrain[] grains, string? userId) : GrainCall<HeartState[]>
{
    protected override async ValueTask<HeartState[]> SendAsync(CancellationToken cancellationToken)
    {
        var reads = new Task<HeartState>[grains.Length];
        for (var index = 0; index < grains.Length; index++) reads[index] = grains[index].ReadAsync(userId, cancellationToken).AsTask();
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
internal sealed class HeartUsersRead(IHeartListGrain grain, string targetId, long before, int limit) : GrainCall<HeartUsers>
{
    protected override ValueTask<HeartUsers> SendAsync(CancellationToken cancellationToken) =>
        grain.UsersAsync(targetId, before, limit, cancellationToken);

    protected override HeartOutcome OutcomeOf(in HeartUsers value) =>
        value.IsAvailable ? HeartOutcome.Committed : HeartOutcome.LedgerUnavailable;
}

/// <summary>Reads the top list.</summary>
internal sealed class HeartTopRead(IHeartListGrain grain, int limit) : GrainCall<HeartTop>
{
    protected override ValueTask<HeartTop> SendAsync(CancellationToken cancellationToken) => grain.TopAsync(limit, cancellationToken);

    protected override HeartOutcome OutcomeOf(in HeartTop value) =>
        value.IsAvailable ? HeartOutcome.Committed : HeartOutcome.LedgerUnavailable;
}
