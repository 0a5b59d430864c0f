namespace HeartGrains.LoadTest.Hearts;

/// <summary>Chooses who gives a heart to what.</summary>
public sealed class HeartPicker(int seed, int targets, long users, TargetSkew skew)
{
    private readonly Random _random = new(seed);

    /// <summary>The next heart: a target from 0 (the hottest) and a user from 0.</summary>
    public (int Target, long User) Next() => (NextTarget(), _random.NextInt64(users));

    private int NextTarget() => skew == TargetSkew.Uniform
        ? _random.Next(targets)
        : Math.Min(targets, (int)Math.Pow(targets, _random.NextDouble())) - 1;
}
