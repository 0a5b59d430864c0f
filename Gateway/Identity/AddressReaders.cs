namespace HeartGrains.Gateway.Identity;

/// <summary>How much of a caller that can carry no token tells readers apart.</summary>
public enum AddressReaders
{
    /// <summary>Nothing: who has no token is nobody.</summary>
    Off,

    /// <summary>The truncated address and the user agent: a household may be several readers.</summary>
    Soft,

    /// <summary>The truncated address alone: everybody of a network is one reader.</summary>
    Strict,
}
