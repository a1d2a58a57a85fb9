using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using Postern.Relay.Audit.Events;

namespace Postern.Relay.Accounts.Protection;

/// <content>
/// What outlives a restart: levels, and the places from which accounts logged in. Lines of text: keyed digests of names, places, numbers; no name, no password and no
/// digest of one. Wrong passwords are forgotten, so that a device with an old one counts once more.
/// </content>
public sealed partial class LoginProtection
{
    private const string Header = "postern login protection 1";

    private const int MaxOctets = 64 * 1024 * 1024;

    /// <summary>What cannot be read is not empty: it is not written over.</summary>
    private bool isUnreadable;

    /// <summary>
    /// Reads what <see cref="Save"/> wrote. A file that is damaged or made with another key is told, set aside and begun anew; one that cannot be read is told and left as it is.
    /// </summary>
    public void Load(string path)
    {
        string[] lines;
        try
        {
            if (new FileInfo(path) is { Exists: true, Length: > MaxOctets })
                throw new FormatException("it is too large");
            lines = File.ReadAllLines(path, Encoding.ASCII);
            lock (gate)
                Read(lines);
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
        }
        catch (Exception e) when (e is FormatException or ArgumentException or OverflowException)
        {
            Forget();
            Told("login_protection_begun_anew", $"{path}: {e.Message}; it is kept as {path}.damaged");
            try
            {
                File.Move(path, $"{path}.damaged", overwrite: true);
            }
            catch (Exception again) when (again is IOException or UnauthorizedAccessException)
            {
                Told("login_protection_begun_anew", $"{path} cannot be set aside: {again.Message}");
            }
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            isUnreadable = true;
            Told("login_protection_begun_anew", $"{path} cannot be read, and is not written until the next start: {e.Message}");
        }
    }

    /// <summary>Writes a new file beside <paramref name="path"/>, syncs it and puts it in its place. What fails is told.</summary>
    public void Save(string path)
    {
        if (!options.IsEnabled || isUnreadable)
            return;
        var fresh = $"{path}.new";
        try
        {
            File.Delete(fresh);
            var own = new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write };
            if (!OperatingSystem.IsWindows())
                own.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
            using (var file = new FileStream(fresh, own))
            {
                file.Write(Encoding.ASCII.GetBytes(Write()));
                file.Flush(flushToDisk: true);
            }

            File.Move(fresh, path, overwrite: true);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            Told("login_protection_not_kept", $"{path}: {e.Message}");
        }
    }

    private string Write()
    {
        var text = new StringBuilder(Header).Append('\n');
        lock (gate)
        {
            text.Append(CultureInfo.InvariantCulture, $"key {DigestOf(Header):x32}\n");
            text.Append(CultureInfo.InvariantCulture, $"saved {clock.GetUtcNow().ToUnixTimeSeconds()}\n");
            foreach (var (device, age) in remembered.All())
                text.Append(CultureInfo.InvariantCulture, $"device {device.Account:x32} {device.Place:x32} {(long)age.TotalSeconds}\n");
            foreach (var one in levels)
            {
                foreach (var (budget, level) in one.All(clock.GetTimestamp()).Where(static e => e.Level.Used > 0))
                    text.Append(CultureInfo.InvariantCulture, $"level {one.Kind} {budget.Account:x32} {budget.Place:x32} {level.Used:0.###} {level.Stage}\n");
            }
        }

        var all = text.ToString();
        return $"{all}end {SumOf(all)}\n";
    }

    private void Read(string[] lines)
    {
        if (lines.Length < 4 || lines[0] != Header)
            throw new FormatException("it is no state of this server's login protection");
        if (lines[^1] != $"end {SumOf(string.Concat(lines[..^1].Select(static l => l + "\n")))}")
            throw new FormatException("it is damaged");
        if (lines[1] != string.Create(CultureInfo.InvariantCulture, $"key {DigestOf(Header):x32}"))
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
                    if (age < DeviceLife)
                        remembered.Add(new BudgetKey(Hex(account), Hex(place)), age);
                    break;
                case ["level", var word, var account, var place, var used, var stage]:
                    var one = this[Enum.Parse<BudgetKind>(word)];
                    var at = now - (long)(Math.Min(since.TotalSeconds, TimeSpan.FromDays(62).TotalSeconds) * clock.TimestampFrequency);
                    var budget = new BudgetKey(Hex(account), Hex(place));
                    var level = new BudgetLevel(Math.Clamp(double.Parse(used, CultureInfo.InvariantCulture), 0, one.Budget.Count), 0, at, Enum.Parse<BudgetStage>(stage), 0);
                    one.Write(budget, level);
                    break;
                default:
                    throw new FormatException("it has a line that is not known");
            }
        }
    }

    private void Forget()
    {
        lock (gate)
        {
            foreach (var one in levels)
            {
                foreach (var (budget, _) in one.All(clock.GetTimestamp()))
                    one.Forget(budget);
            }
        }
    }

    private void Told(string what, string detail) => audit.Append(new ServerEvent(clock.GetUtcNow(), what, detail));

    private static UInt128 Hex(string text) => UInt128.Parse(text, NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture);

    private static string SumOf(string text) => Convert.ToHexStringLower(SHA256.HashData(Encoding.ASCII.GetBytes(text)));
}
