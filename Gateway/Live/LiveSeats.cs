namespace HeartGrains.Gateway.Live;

/// <summary>Why there is no seat.</summary>
internal enum SeatRefusal
{
    None,

    /// <summary>The gateway has as many connections as it takes.</summary>
    Gateway,

    /// <summary>The address has.</summary>
    Address,
}

/// <summary>Counts connections, in all and of each address. Thread-safe.</summary>
internal sealed class LiveSeats(int limit, int limitOfAddress)
{
    private readonly Lock _gate = new();
    private readonly Dictionary<string, int> _ofAddress = [];
    private int _taken;

    /// <summary>Takes a seat, to be given back with <see cref="Leave"/>.</summary>
    public SeatRefusal Enter(string address)
    {
        lock (_gate)
        {
            var ofAddress = _ofAddress.GetValueOrDefault(address);
            if (ofAddress >= limitOfAddress) return SeatRefusal.Address;
            if (_taken >= limit) return SeatRefusal.Gateway;
            _ofAddress[address] = ofAddress + 1;
            _taken++;
            return SeatRefusal.None;
        }
    }

    /// <summary>Gives a seat back.</summary>
    public void Leave(string address)
    {
        lock (_gate)
        {
            _taken--;
            var left = _ofAddress[address] - 1;
            if (left == 0) _ofAddress.Remove(address);
            else _ofAddress[address] = left;
        }
    }
}
