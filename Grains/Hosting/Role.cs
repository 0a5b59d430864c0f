using System.Reflection;
using Microsoft.AspNetCore.Builder;

namespace HeartGrains.Hosting;

/// <summary>What a process can be: the first word of its command line, its settings, and how it is built.</summary>
/// <param name="Name">The word.</param>
/// <param name="Summary">What it does, for <c>--help</c>.</param>
/// <param name="DefaultPort">Where it listens unless told otherwise.</param>
/// <param name="Features">The sections it reads beside the host's own: a type that the section is bound to; <c>string[]</c> for a list or one line with commas; <c>object</c> for what only
/// another role reads.</param>
/// <param name="Build">Makes the program of a builder whose settings are read and checked; starts nothing.</param>
public sealed record Role(
    string Name, string Summary, int DefaultPort, IReadOnlyDictionary<string, Type> Features, Func<WebApplicationBuilder, WebApplication> Build)
{
    /// <summary>The only mode it runs in; null when that is a setting.</summary>
    public HostMode? Mode { get; init; }

    /// <summary>The assembly that holds the role's <c>appsettings.json</c>.</summary>
    internal Assembly Assembly => Build.Method.Module.Assembly;

    /// <summary>What traces and logs call it, whatever file it runs from.</summary>
    internal string? ApplicationName => Name.Length == 0 ? null : $"HeartGrains.{char.ToUpperInvariant(Name[0])}{Name[1..]}";
}
