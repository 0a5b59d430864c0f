using System.Security.Cryptography;

namespace HeartGrains.LoadTest.Hearts;

/// <summary>The ids of a run's targets and users: of fixed width, so that a request can be made once and then only patched.</summary>
/// <param name="TargetPrefix">What every target's id of the run starts with.</param>
public sealed record HeartNames(string TargetPrefix)
{
    /// <summary>Digits of a target's id after its prefix.</summary>
    public const int TargetDigits = 8;

    /// <summary>Digits of a user's id after its <c>u</c>.</summary>
    public const int UserDigits = 10;

    /// <summary>Targets shared by every run.</summary>
    public static HeartNames Shared { get; } = new("t");

    /// <summary>Targets that no other run uses.</summary>
    public static HeartNames Fresh() => new($"v{RandomNumberGenerator.GetHexString(12, lowercase: true)}-");

    /// <summary>A target's id.</summary>
    public string Target(int target) => TargetPrefix + target.ToString("D8");

    /// <summary>A user's id.</summary>
    public string User(long user) => "u" + user.ToString("D10");
}
