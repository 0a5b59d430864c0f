using System.Net;
using HeartGrains.Gateway.RateLimiting;

namespace HeartGrains.Gateway.Live;

/// <summary>Why there is no seat.</summary>
internal enum SeatRefusal
{
    None,

    /// <summary>The gateway has as many connections as it takes.</summary>
    Gateway,

    /// <summary>The address has.</summary>
    Address,

    /// <summary>The address has come, or sent, too often.</summary>
    Rate,
}

/// <summary>
/// Counts connections, in all and of each address, and what an address sends, however often it connects anew. Thread-safe.
/// </summary>
internal sealed class LiveSeats(LiveOptions options, TimeProvider time)
{
    private const int TableCells = 1 << 16;
    private readonly Lock _gate = new();
    private readonly Dictionary<string, LiveAddress> _addresses = [];

    private readonly AddressLimits _rates = new(
        new BucketTerms(options.MessageBurstPerAddress, options.MessagesPerSecondPerAddress, TimeSpan.FromSeconds(1), time), TableCells, time);

    private int _taken;

    /// <summary>Takes a seat, to be given back with <see cref="Leave"/>.</summary>
    public SeatRefusal Enter(string name, IPAddress? remote, out LiveAddress address)
    {
        lock (_gate)
        {
            address = _addresses.GetValueOrDefault(name) ?? new LiveAddress(name, remote, _rates, options.MaxTargetsPerAddress);
            if (!address.TryTake(1)) return SeatRefusal.Rate;
            if (address.Connections >= options.MaxConnectionsPerAddress) return SeatRefusal.Address;
            if (_taken >= options.MaxConnections) return SeatRefusal.Gateway;
            _addresses[name] = address;
            address.Connections++;
            _taken++;
            return SeatRefusal.None;
        }
    }

    /// <summary>Gives a seat back.</summary>
    public void Leave(LiveAddress address)
    {
        lock (_gate)
        {
            _taken--;
            if (--address.Connections == 0) _addresses.Remove(address.Name);
        }
    }
}

/// <summary>What the connections of one address share.</summary>
internal sealed class LiveAddress(string name, IPAddress? remote, AddressLimits rates, int targetLimit)
{
    private int _targets;

    public string Name { get; } = name;

    /// <summary>How many there are. The seats'.</summary>
    public int Connections { get; set; }

    /// <summary>Takes what a message costs; false when that is too much.</summary>
    public bool TryTake(int cost)
    {
        for (; cost > 0; cost--)
            if (!rates.TryAcquire(remote, out _)) return false;
        return true;
    }

    /// <summary>One target more; false when there are as many as may be.</summary>
    public bool TryWatch()
    {
        if (Interlocked.Increment(ref _targets) <= targetLimit) return true;
        Interlocked.Decrement(ref _targets);
        return false;
    }

    /// <summary>So many fewer.</summary>
    public void Unwatch(int targets) => Interlocked.Add(ref _targets, -targets);
}
