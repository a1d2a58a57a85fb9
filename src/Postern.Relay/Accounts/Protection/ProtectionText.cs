using System.Globalization;
using System.Security.Cryptography;
using System.Text;

namespace Postern.Relay.Accounts.Protection;

/// <summary>
/// What of a <see cref="ProtectionLedger"/> outlives a restart: levels, and the places from which accounts logged in. Lines of text: keyed
/// digests of names, places, numbers; no name, no password and no digest of one. Wrong passwords are forgotten, so that a device with an
/// old one counts once more.
/// </summary>
internal static class ProtectionText
{
    private const string Header = "postern login protection 1";

    public static string Write(ProtectionLedger ledger, TimeProvider clock)
    {
        var text = new StringBuilder(Header).Append('\n');
        text.Append(CultureInfo.InvariantCulture, $"key {ledger.DigestOf(Header):x32}\n");
        text.Append(CultureInfo.InvariantCulture, $"saved {clock.GetUtcNow().ToUnixTimeSeconds()}\n");
        foreach (var (device, age) in ledger.Remembered.All())
            text.Append(CultureInfo.InvariantCulture, $"device {device.Account:x32} {device.Place:x32} {(long)age.TotalSeconds}\n");
        foreach (var one in ledger.Levels)
        {
            foreach (var (budget, level) in one.All(clock.GetTimestamp()).Where(static e => e.Level.Used > 0))
                text.Append(
                    CultureInfo.InvariantCulture,
                    $"level {one.Kind} {budget.Account:x32} {budget.Place:x32} {level.Used:0.###} {level.Stage}\n");
        }

        var all = text.ToString();
        return $"{all}end {SumOf(all)}\n";
    }

    /// <exception cref="FormatException">It is none, it is damaged, or another key made it.</exception>
    public static void Read(string[] lines, ProtectionLedger ledger, TimeProvider clock)
    {
        if (lines.Length < 4 || lines[0] != Header)
            throw new FormatException("it is no state of this server's login protection");
        if (lines[^1] != $"end {SumOf(string.Concat(lines[..^1].Select(static l => l + "\n")))}")
            throw new FormatException("it is damaged");
        if (lines[1] != string.Create(CultureInfo.InvariantCulture, $"key {ledger.DigestOf(Header):x32}"))
            throw new FormatException("it belongs to another directory of accounts");
        var saved = DateTimeOffset.FromUnixTimeSeconds(long.Parse(lines[2].Split(' ')[1], CultureInfo.InvariantCulture));
        var since = clock.GetUtcNow() - saved is var gone && gone > TimeSpan.Zero ? gone : TimeSpan.Zero;
        var now = clock.GetTimestamp();
        foreach (var line in lines[3..^1])
        {
            switch (line.Split(' '))
            {
                case ["device", var account, var place, var seconds]:
                    var age = TimeSpan.FromSeconds(long.Parse(seconds, CultureInfo.InvariantCulture)) + since;
                    if (age < LoginProtection.DeviceLife)
                        ledger.Remembered.Add(new BudgetKey(Hex(account), Hex(place)), age);
                    break;
                case ["level", var word, var account, var place, var used, var stage]:
                    var one = ledger[Enum.Parse<BudgetKind>(word)];
                    var at = now - (long)(Math.Min(since.TotalSeconds, TimeSpan.FromDays(62).TotalSeconds) * clock.TimestampFrequency);
                    var budget = new BudgetKey(Hex(account), Hex(place));
                    var level = new BudgetLevel(
                        Math.Clamp(double.Parse(used, CultureInfo.InvariantCulture), 0, one.Budget.Count),
                        0,
                        at,
                        Enum.Parse<BudgetStage>(stage),
                        0);
                    one.Write(budget, level);
                    break;
                default:
                    throw new FormatException("it has a line that is not known");
            }
        }
    }

    private static UInt128 Hex(string text) => UInt128.Parse(text, NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture);

    private static string SumOf(string text) => Convert.ToHexStringLower(SHA256.HashData(Encoding.ASCII.GetBytes(text)));
}
