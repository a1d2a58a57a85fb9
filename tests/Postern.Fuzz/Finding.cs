using System.Globalization;

namespace Postern.Fuzz;

/// <summary>An input that broke something, and what it broke.</summary>
internal sealed record Finding(string Target, byte[] Input, string What)
{
    /// <summary>Writes the input to a file of its own and answers how to run it again.</summary>
    public string Save(string directory)
    {
        Directory.CreateDirectory(directory);
        var signal = new Signal();
        signal.Add(Input);
        var file = Path.Combine(directory, string.Create(CultureInfo.InvariantCulture, $"{Target}-{signal.Value:x16}.bin"));
        File.WriteAllBytes(file, Input);
        return $"dotnet run -c Release --project tests/Postern.Fuzz -- --target {Target} --replay {Path.GetFullPath(file)}";
    }
}
