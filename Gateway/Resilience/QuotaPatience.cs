namespace HeartGrains.Gateway.Resilience;

/// <summary>
/// How long a quota may take to answer. Long as a rule, since slow is not down; short from the first that did not answer until that one has, so that what is
/// down is decided at once.
/// </summary>
internal sealed class QuotaPatience(ResilienceOptions options)
{
    private int _isInDoubt;

    public TimeSpan Timeout =>
        Volatile.Read(ref _isInDoubt) == 0 || options.QuotaTimeout < options.QuotaOutageTimeout ? options.QuotaTimeout : options.QuotaOutageTimeout;

    /// <summary>Becomes short. True for who has to find out when it may be long again, and call <see cref="Trust"/> then.</summary>
    public bool TryDoubt() => Interlocked.Exchange(ref _isInDoubt, 1) == 0;

    /// <summary>Becomes long again.</summary>
    public void Trust() => Volatile.Write(ref _isInDoubt, 0);
}
