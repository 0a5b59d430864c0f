using System.Globalization;

namespace HeartGrains.LoadTest.Report;

/// <summary>Memory of a process, in bytes.</summary>
/// <param name="Resident">In memory, what it shares with others included (RSS).</param>
/// <param name="Private">In memory and its own alone.</param>
internal readonly record struct ProcessMemory(long Resident, long Private)
{
    /// <summary>Reads <c>/proc/PID/smaps_rollup</c>, proc(5).</summary>
    public static ProcessMemory Read(int processId) => Parse(File.ReadAllLines($"/proc/{processId}/smaps_rollup"));

    internal static ProcessMemory Parse(IReadOnlyList<string> lines)
    {
        return new(Bytes("Rss:"), Bytes("Private_Clean:") + Bytes("Private_Dirty:"));

        long Bytes(string field) => lines.Where(line => line.StartsWith(field, StringComparison.Ordinal))
            .Select(static line => long.Parse(line.Split(' ', StringSplitOptions.RemoveEmptyEntries)[1], CultureInfo.InvariantCulture) * 1024).FirstOrDefault();
    }
}
