using HeartGrains.Hosting;
using Microsoft.Extensions.Logging;

namespace HeartGrains.RateLimiting;

/// <summary>
/// The part of a key's quotas that no gateway holds. Not reentrant: a call that finds too few tokens in hand waits for its write with all later
/// calls of the same key behind it, so a decision is never taken on a balance that a write under way is about to change. Refusals
/// write nothing.
/// </summary>
[CollectionAgeLimit(Minutes = 2)]
public sealed partial class RateLimitGrain(
    [PersistentState("quota_v1", RateLimitHosting.StorageName)] IPersistentState<QuotaState> storage,
    LiveSettings<QuotaSettings> settings,
    SiloSeats seats,
    TimeProvider timeProvider,
    ILogger<RateLimitGrain> logger) : Grain, IRateLimitGrain
{
    private static readonly TimeSpan AgeLimit = TimeSpan.FromMinutes(2);

    private readonly long _activation = Random.Shared.NextInt64();
    private readonly Dictionary<string, QuotaAccount> _accounts = [];
    private QuotaDimension _dimension;
    private DateTimeOffset _loadedAtUtc;
    private long _loadedAt;
    private bool _isClosed;

    /// <inheritdoc/>
    public override Task OnActivateAsync(CancellationToken cancellationToken)
    {
        var key = this.GetPrimaryKeyString();
        _dimension = QuotaKey.DimensionOf(key) ?? throw new ArgumentException("The key of a rate limit grain starts with its dimension's prefix.");

        // In this order: should time pass in between, less of it seems to have passed since the store was written.
        _loadedAtUtc = timeProvider.GetUtcNow();
        _loadedAt = timeProvider.GetTimestamp();
        return Task.CompletedTask;
    }

    /// <inheritdoc/>
    public async ValueTask<QuotaDecision> AcquireAsync(QuotaClaim[] claims, CancellationToken cancellationToken = default)
    {
        cancellationToken.ThrowIfCancellationRequested();
        foreach (var claim in claims) ArgumentOutOfRangeException.ThrowIfLessThan(claim.Tokens, 1);
        await seats.LearnAsync(cancellationToken);

        var now = timeProvider.GetTimestamp();
        var accounts = FindAccounts(claims, now);
        if (!IsWithin(accounts, claims, now)) return new QuotaDecision(false, Judge(accounts, claims, now), default);

        if (await ReserveAsync(accounts, claims, now))
        {
            // Nobody waits any more: what was reserved stays in hand for the next call.
            cancellationToken.ThrowIfCancellationRequested();

            // While the store wrote, the lease of the seats may have ended, the share shrunk, and the reservation expired.
            now = timeProvider.GetTimestamp();
            accounts = FindAccounts(claims, now);
            if (!IsWithin(accounts, claims, now)) return new QuotaDecision(false, Judge(accounts, claims, now), default);
            for (var i = 0; i < claims.Length; i++)
            {
                if (accounts[i] is { Policy.IsShadow: false } account && !account.CanSpend(claims[i].Tokens, now))
                    throw new TimeoutException("Storing the quota took longer than the reservation lasts.");
            }
        }

        var verdicts = Judge(accounts, claims, now);
        for (var i = 0; i < claims.Length; i++)
            if (accounts[i] is { } account) verdicts[i] = account.TrySpend(claims[i].Tokens, now) ? account.Judge(0, now) : verdicts[i] with { IsWithin = false };
        return new QuotaDecision(true, verdicts, new QuotaReceipt(_activation, now));
    }

    /// <inheritdoc/>
    public async Task ReturnAsync(QuotaClaim[] claims, QuotaReceipt receipt)
    {
        if (receipt.Activation != _activation) return;
        await seats.LearnAsync(CancellationToken.None);
        var now = timeProvider.GetTimestamp();
        foreach (var claim in claims) FindAccount(claim.Policy, now)?.Return(claim.Tokens, receipt.TakenAt, now);
    }

    /// <inheritdoc/>
    public async ValueTask<QuotaVerdict[]> ReadAsync(string[] policies, CancellationToken cancellationToken = default)
    {
        await seats.LearnAsync(cancellationToken);
        var now = timeProvider.GetTimestamp();
        var verdicts = Array.ConvertAll(policies, policy => FindAccount(policy, now)?.Judge(0, now) ?? QuotaVerdict.Unknown);

        // Nothing to remember about a key that was only looked at.
        if (_accounts.Values.All(account => account.Judge(0, now).ResetMillis == 0)) DeactivateOnIdle();
        return verdicts;
    }

    /// <inheritdoc/>
    public async ValueTask ResetAsync(CancellationToken cancellationToken = default)
    {
        ThrowIfClosed();
        if (storage.RecordExists) await storage.ClearStateAsync(cancellationToken);
        storage.State = new QuotaState();
        var now = timeProvider.GetTimestamp();
        foreach (var account in _accounts.Values) account.Reset(now);
    }

    /// <inheritdoc/>
    public override async Task OnDeactivateAsync(DeactivationReason reason, CancellationToken cancellationToken)
    {
        _isClosed = true;
        if (!storage.RecordExists) return;
        try
        {
            var now = timeProvider.GetTimestamp();
            var state = StateWith((account, _) => account.Close(now));
            if (state.Levels.Count == 0) await storage.ClearStateAsync(cancellationToken);
            else if (!IsAsStored(state)) await StoreAsync(state);
        }
        catch (Exception exception)
        {
            // Tokens in hand are forfeited: the key waits a little longer, and nothing is given twice.
            Log.NotPutBack(logger, exception);
        }
    }

    private QuotaAccount?[] FindAccounts(QuotaClaim[] claims, long now) => Array.ConvertAll(claims, claim => FindAccount(claim.Policy, now));

    private QuotaAccount? FindAccount(string name, long now)
    {
        ThrowIfClosed();
        if (FindPolicy(name) is not { } policy) return null;

        // Also where nothing is sliced: a silo cut off from the others judges no longer than a lease.
        var limit = policy.GrainLimit(seats.Count);
        if (_accounts.TryGetValue(name, out var account))
        {
            account.Adopt(policy, limit, now);
            return account;
        }

        var frequency = timeProvider.TimestampFrequency;
        return _accounts[name] = storage.State.Levels.TryGetValue(name, out var stored)
            ? new QuotaAccount(policy, limit, frequency, stored, stored.LatestReading(_loadedAt, frequency, _loadedAtUtc, settings.Current.MaxClockSkew), now)
            : new QuotaAccount(policy, limit, frequency, now);
    }

    private QuotaPolicy? FindPolicy(string name) =>
        Array.Find(settings.Current.Policies, policy => policy.Name == name && policy.Dimension == _dimension);

    private static bool IsWithin(QuotaAccount?[] accounts, QuotaClaim[] claims, long now)
    {
        for (var i = 0; i < claims.Length; i++)
            if (accounts[i] is { Policy.IsShadow: false } account && !account.Has(claims[i].Tokens, now)) return false;
        return true;
    }

    private static QuotaVerdict[] Judge(QuotaAccount?[] accounts, QuotaClaim[] claims, long now)
    {
        var verdicts = new QuotaVerdict[claims.Length];
        for (var i = 0; i < claims.Length; i++) verdicts[i] = accounts[i]?.Judge(claims[i].Tokens, now) ?? QuotaVerdict.Unknown;
        return verdicts;
    }

    /// <summary>Stores what has to be before the claims can be spent. False when nothing had to be.</summary>
    private async Task<bool> ReserveAsync(QuotaAccount?[] accounts, QuotaClaim[] claims, long now)
    {
        var reservations = new Dictionary<string, QuotaReservation>();
        for (var i = 0; i < claims.Length; i++)
        {
            if (accounts[i] is { } account && account.Has(claims[i].Tokens, now) && account.Plan(claims[i].Tokens, now) is { } reservation)
                reservations[claims[i].Policy] = reservation;
        }

        if (reservations.Count == 0) return false;
        await StoreAsync(StateWith((account, name) => reservations.TryGetValue(name, out var reservation) ? reservation.Level : account.Level(now)));
        ThrowIfClosed();
        foreach (var (name, reservation) in reservations) _accounts[name].Commit(reservation);
        KeepUntilWhole(now);
        return true;
    }

    /// <summary>Levels that nothing was taken from since the activation stay as they were stored, with their time.</summary>
    private QuotaState StateWith(Func<QuotaAccount, string, QuotaLevel?> levelOf)
    {
        var state = new QuotaState();
        var asOf = timeProvider.GetUtcNow().ToUnixTimeMilliseconds();
        foreach (var (name, level) in storage.State.Levels)
            if (!_accounts.ContainsKey(name) && FindPolicy(name) is not null) state.Levels[name] = level;
        foreach (var (name, account) in _accounts)
            if (account.IsStored && FindPolicy(name) is not null && levelOf(account, name) is { } level) state.Levels[name] = level.AsOf == 0 ? level with { AsOf = asOf } : level;
        return state;
    }

    private bool IsAsStored(QuotaState state) =>
        state.Levels.Count == storage.State.Levels.Count
        && state.Levels.All(level => ReferenceEquals(level.Value, storage.State.Levels.GetValueOrDefault(level.Key)));

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

    // An activation that goes before its quotas are whole leaves a row behind.
    private void KeepUntilWhole(long now)
    {
        var millis = _accounts.Values.Where(account => account.IsStored).Max(account => account.Judge(0, now).ResetMillis);
        var untilWhole = TimeSpan.FromMilliseconds(Math.Min(millis, TimeSpan.FromHours(1).TotalMilliseconds));
        if (untilWhole > AgeLimit) DelayDeactivation(untilWhole);
    }

    private void ThrowIfClosed()
    {
        if (_isClosed) throw new InvalidOperationException("The activation is closing.");
    }

    private static partial class Log
    {
        [LoggerMessage(Level = LogLevel.Debug, Message = "Unspent tokens were not put back.")]
        public static partial void NotPutBack(ILogger logger, Exception exception);
    }
}
