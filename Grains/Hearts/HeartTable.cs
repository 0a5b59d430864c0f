namespace HeartGrains.Hearts;

/// <summary>
/// A hash table from heart id to a time, 24 bytes a slot. Ids are keyed hashes already, so their low bits are the position; open
/// addressing with linear probing, grown by doubling at three quarters, and no tombstones: removal shifts the run back.
/// </summary>
internal sealed class HeartTable
{
    private const int SmallestSize = 4;
    private Slot[] _slots = [];

    private record struct Slot(HeartId Id, long AtMicros);

    public int Count { get; private set; }

    public bool TryGet(HeartId id, out long atMicros)
    {
        var at = Find(id);
        atMicros = at >= 0 ? _slots[at].AtMicros : 0;
        return at >= 0;
    }

    /// <summary>Adds an id that is not in the table.</summary>
    public void Add(HeartId id, long atMicros)
    {
        if (Count >= _slots.Length * 3 / 4) Grow();
        Place(new Slot(id, atMicros));
        Count++;
    }

    public bool Remove(HeartId id)
    {
        var hole = Find(id);
        if (hole < 0) return false;
        var mask = _slots.Length - 1;
        for (var next = (hole + 1) & mask; _slots[next].Id != default; next = (next + 1) & mask)
        {
            var home = (int)_slots[next].Id.Low & mask;
            if (((next - home) & mask) < ((next - hole) & mask)) continue;
            _slots[hole] = _slots[next];
            hole = next;
        }

        _slots[hole] = default;
        Count--;
        return true;
    }

    private int Find(HeartId id)
    {
        if (_slots.Length == 0) return -1;
        var mask = _slots.Length - 1;
        for (var at = (int)id.Low & mask; _slots[at].Id != default; at = (at + 1) & mask)
            if (_slots[at].Id == id)
                return at;

        return -1;
    }

    private void Grow()
    {
        var old = _slots;
        _slots = new Slot[Math.Max(SmallestSize, old.Length * 2)];
        foreach (var slot in old)
            if (slot.Id != default)
                Place(slot);
    }

    private void Place(Slot slot)
    {
        var mask = _slots.Length - 1;
        var at = (int)slot.Id.Low & mask;
        while (_slots[at].Id != default) at = (at + 1) & mask;
        _slots[at] = slot;
    }
}
