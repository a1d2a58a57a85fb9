using System.Globalization;
using System.Text;
using QRCoder;

namespace Postern.Web.Entrance;

/// <summary>A QR code as the path of a drawing: each dark square is one step of it.</summary>
/// <param name="Size">Squares in a row, with the white border.</param>
/// <param name="Path">Of an SVG, one square a unit.</param>
internal sealed record QrPicture(int Size, string Path)
{
    public static QrPicture Of(string text)
    {
        using var code = QRCodeGenerator.GenerateQrCode(text, QRCodeGenerator.ECCLevel.M);
        var path = new StringBuilder();
        for (var y = 0; y < code.ModuleMatrix.Count; y++)
        {
            for (var x = 0; x < code.ModuleMatrix[y].Length; x++)
            {
                if (code.ModuleMatrix[y][x])
                    path.Append(CultureInfo.InvariantCulture, $"M{x} {y}h1v1h-1z");
            }
        }

        return new QrPicture(code.ModuleMatrix.Count, path.ToString());
    }
}
