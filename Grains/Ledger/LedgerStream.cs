namespace HeartGrains.Ledger;

/// <summary>
/// One activation's way to append to one target's log. Its lane numbers the events when it makes a batch, so a batch that fails leaves
/// no gap: what waits behind it is numbered from what is committed. Once a rival has written a version, or an answer was lost for good,
/// the stream is stale for ever; its owner reloads the target and opens another.
/// </summary>
internal sealed class LedgerStream
{
    private readonly Action<LedgerStream> _wake;
    private LedgerEntry? _settled;
    private bool _ownerWillLook;

    /// <param name="target">The target's key.</param>
    /// <param name="targetId">The target id as given.</param>
    /// <param name="version">The last version the owner has seen.</param>
    /// <param name="wake">Called from any thread when settled entries wait and nobody is about to look; must not block.</param>
    public LedgerStream(Guid target, string targetId, long version, Action<LedgerStream> wake)
    {
        Target = target;
        TargetId = targetId;
        Version = version;
        Writer = Random.Shared.NextInt64();
        _wake = wake;
    }

    public Guid Target { get; }
    public string TargetId { get; }

    /// <summary>Names this stream in the rows it writes.</summary>
    public long Writer { get; }

    /// <summary>The last committed version; only the lane touches it.</summary>
    public long Version { get; set; }

    /// <summary>Set by the lane: no entry of this stream will be written any more.</summary>
    public bool IsStale { get; set; }

    /// <summary>The owner is about to call <see cref="TakeSettled"/>: no need to wake it.</summary>
    public bool OwnerWillLook { set => Volatile.Write(ref _ownerWillLook, value); }

    /// <summary>Hands an entry back to the owner. Called by the lane, in version order.</summary>
    public void Settle(LedgerEntry entry, EntryOutcome outcome)
    {
        entry.Outcome = outcome;
        LedgerEntry? head;
        do
        {
            head = Volatile.Read(ref _settled);
            entry.Next = head;
        }
        while (Interlocked.CompareExchange(ref _settled, entry, head) != head);
        if (head is null && !Volatile.Read(ref _ownerWillLook)) _wake(this);
    }

    /// <summary>Takes all entries settled so far, in the order they were settled. Called by the owner.</summary>
    public LedgerEntry? TakeSettled()
    {
        LedgerEntry? first = null;
        for (var entry = Interlocked.Exchange(ref _settled, null); entry is not null;)
        {
            var next = entry.Next;
            entry.Next = first;
            first = entry;
            entry = next;
        }

        return first;
    }
}
