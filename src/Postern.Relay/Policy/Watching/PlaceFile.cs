using System.Collections.Concurrent;
using System.Globalization;
using System.Net;
using System.Text;
using MaxMind.Db;

namespace Postern.Relay.Policy.Watching;

/// <summary>
/// What a database of an operator's own says of addresses, in the MaxMind DB format: of countries or of autonomous systems, as MaxMind,
/// DB-IP and IPinfo write them. Nothing is shipped. Immutable; safe from any thread.
/// </summary>
internal sealed class PlaceFile
{
    /// <summary>Answers that are remembered; then it begins anew.</summary>
    private const int MostRemembered = 10_000;

    private readonly Reader reader;
    private readonly ConcurrentDictionary<IPAddress, uint> known = [];

    private PlaceFile(Reader reader) => this.reader = reader;

    /// <exception cref="InvalidDataException">It is no such database.</exception>
    /// <exception cref="IOException">It cannot be read.</exception>
    public static PlaceFile Read(string path)
    {
        try
        {
            // A stream is read whole: the file may be replaced, or cut, while it is used.
            using var file = File.OpenRead(path);
            var read = new PlaceFile(new Reader(file));
            read.Find(IPAddress.Parse("192.0.2.1"));
            return read;
        }
        catch (Exception e) when (e is not (IOException or UnauthorizedAccessException))
        {
            throw new InvalidDataException($"it is no MaxMind database: {e.Message}", e);
        }
    }

    /// <summary>A number for the country or the autonomous system; 0 where it says nothing of the address.</summary>
    public uint Find(IPAddress client)
    {
        if (known.TryGetValue(client, out var place))
            return place;
        if (known.Count >= MostRemembered)
            known.Clear();
        return known[client] = NumberOf(reader.Find<Dictionary<string, object>>(client));
    }

    private static uint NumberOf(Dictionary<string, object>? record)
    {
        if (record is null)
            return 0;
        if (record.TryGetValue("autonomous_system_number", out var system))
            return Convert.ToUInt32(system, CultureInfo.InvariantCulture);
        if (record.TryGetValue("asn", out var named)
            && uint.TryParse(named.ToString()?.TrimStart('A', 'S'), NumberStyles.None, CultureInfo.InvariantCulture, out var number))
            return number;
        var country = record.TryGetValue("country_code", out var code) ? code
            : !record.TryGetValue("country", out var said) ? null
            : said is Dictionary<string, object> more ? more.GetValueOrDefault("iso_code")
            : said;
        return country?.ToString() is { Length: 2 } letters && Encoding.ASCII.GetBytes(letters) is [var a, var b] ? ((uint)a << 8) | b : 0;
    }
}
