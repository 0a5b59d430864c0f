using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace HeartGrains.RateLimiting;

/// <summary>
/// The part of a user's quota that no gateway holds. Not reentrant: a call that finds no token in hand waits for its write with all later
/// calls of the same user behind it, so a decision is never taken on a balance that a write under way is about to change. Refusals
/// write nothing.
/// </summary>
[CollectionAgeLimit(Minutes = 2)]
public sealed partial class RateLimitGrain(
    [PersistentState("user_quota_v1", RateLimitHosting.StorageName)] IPersistentState<QuotaState> storage,
    IOptions<RateLimitOptions> options,
    TimeProvider timeProvider,
    ILogger<RateLimitGrain> logger) : Grain, IRateLimitGrain
{
    /// <summary>Every key starts with this.</summary>
    public const string KeyPrefix = "u:";

    private static readonly TimeSpan HandLifetime = TimeSpan.FromSeconds(15);
    private static readonly TimeSpan AgeLimit = TimeSpan.FromMinutes(2);

    private readonly QuotaShare _share = options.Value.GrainShare(timeProvider.TimestampFrequency);
    private UserQuota? _quota;

    /// <inheritdoc/>
    public override Task OnActivateAsync(CancellationToken cancellationToken)
    {
        if (!this.GetPrimaryKeyString().StartsWith(KeyPrefix, StringComparison.Ordinal))
            throw new ArgumentException($"A rate limit grain's key starts with '{KeyPrefix}'.");

        var handTicks = (long)(HandLifetime.TotalSeconds * timeProvider.TimestampFrequency);
        _quota = new UserQuota(_share, handTicks, storage.RecordExists ? storage.State : null, timeProvider.GetTimestamp());
        return Task.CompletedTask;
    }

    /// <inheritdoc/>
    public async ValueTask<RateLimitDecision> AcquireAsync(int tokens, CancellationToken cancellationToken = default)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(tokens, 1);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(tokens, _share.Tokens);
        cancellationToken.ThrowIfCancellationRequested();

        var quota = Quota;
        var now = timeProvider.GetTimestamp();
        if (!quota.TrySpend(tokens, now))
        {
            if (quota.Plan(tokens, now) is not { } reservation) return Refuse(quota, tokens, now);
            await StoreAsync(reservation.State);
            Quota.Commit(reservation);
            KeepUntilFull(quota, now);

            // The store may have been slower than the reservation lasts: then another activation may count the tokens as its own.
            now = timeProvider.GetTimestamp();
            if (!quota.TrySpend(tokens, now)) throw new TimeoutException("Storing the quota took longer than the reservation lasts.");
        }

        return new RateLimitDecision(true, quota.Remaining(now), 0);
    }

    /// <inheritdoc/>
    public override async Task OnDeactivateAsync(DeactivationReason reason, CancellationToken cancellationToken)
    {
        var quota = _quota;
        _quota = null;
        if (quota is null || !storage.RecordExists) return;

        try
        {
            var state = quota.Close(timeProvider.GetTimestamp());
            if (state is null)
            {
                await storage.ClearStateAsync(cancellationToken);
            }
            else
            {
                storage.State = state;
                await storage.WriteStateAsync(cancellationToken);
            }
        }
        catch (Exception exception)
        {
            // Tokens in hand are forfeited: the user waits a little longer, and nothing is given twice.
            Log.NotPutBack(logger, exception);
        }
    }

    private UserQuota Quota => _quota ?? throw new InvalidOperationException("The activation is closing.");

    private RateLimitDecision Refuse(UserQuota quota, int tokens, long now)
    {
        var wait = quota.TicksUntil(tokens, now);
        var frequency = timeProvider.TimestampFrequency;
        return new RateLimitDecision(false, quota.Remaining(now), (long)Int128.Max(1, ((Int128)wait * 1000 + frequency - 1) / frequency));
    }

    private async Task StoreAsync(QuotaState state)
    {
        var before = storage.State;
        storage.State = state;
        try
        {
            await storage.WriteStateAsync();
        }
        catch
        {
            storage.State = before;
            throw;
        }
    }

    // An activation that goes before its bucket is full leaves a row behind.
    private void KeepUntilFull(UserQuota quota, long now)
    {
        var untilFull = timeProvider.GetElapsedTime(0, quota.TicksUntil(_share.Tokens, now)) + HandLifetime;
        if (untilFull > AgeLimit) DelayDeactivation(untilFull);
    }

    private static partial class Log
    {
        [LoggerMessage(Level = LogLevel.Debug, Message = "Unspent tokens were not put back.")]
        public static partial void NotPutBack(ILogger logger, Exception exception);
    }
}
