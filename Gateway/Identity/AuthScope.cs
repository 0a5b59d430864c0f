using System.Diagnostics.CodeAnalysis;

namespace HeartGrains.Gateway.Identity;

/// <summary>What a server key lets its bearer do.</summary>
public enum AuthScope
{
    /// <summary><c>hearts:write</c>: change hearts and take quota for any user.</summary>
    HeartsWrite,

    /// <summary><c>hearts:read</c>: read what is known of any user.</summary>
    HeartsRead,

    /// <summary><c>hearts:admin</c>: operators' calls, and everything else.</summary>
    HeartsAdmin,
}

/// <summary>Scopes as they are written, and what they include.</summary>
internal static class AuthScopes
{
    /// <summary>All, in the order of <see cref="AuthScope"/>.</summary>
    public static readonly string[] Names = ["hearts:write", "hearts:read", "hearts:admin"];

    /// <summary>As it is written.</summary>
    public static string NameOf(this AuthScope scope) => Names[(int)scope];

    /// <summary>Reads a scope.</summary>
    public static bool TryParse(string text, [NotNullWhen(true)] out AuthScope? scope)
    {
        var index = Array.IndexOf(Names, text);
        scope = index < 0 ? null : (AuthScope)index;
        return index >= 0;
    }
}
