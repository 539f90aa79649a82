import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Enums, Models, Serialize, Spec } from '@cyclonedx/cyclonedx-library';
import { BundledPackages } from '../bundle/bundled-packages.ts';

/**
 * A CycloneDX document, as JSON, of what is in an image: the npm packages that the service's code comes from, and the Debian
 * packages of the base.
 *
 * @param folder that the image is built from
 * @param dpkgStatus what dpkg has noted of its packages, for each platform
 */
export function softwareBill(folder: string, dpkgStatus: readonly string[]): string {
  const components = [...npmPackages(folder), ...dpkgStatus.flatMap(debianPackages)];
  // Several platforms have the packages of all architectures, which a document names once.
  const distinct = new Map(components.map((component) => [component.purl, component]));
  const bill = new Models.Bom({ components: new Models.ComponentRepository(distinct.values()) });
  const normal = new Serialize.JSON.Normalize.Factory(Spec.Spec1dot6);
  return new Serialize.JsonSerializer(normal).serialize(bill, { sortLists: true, space: 2 });
}

function npmPackages(folder: string): Models.Component[] {
  const file = join(folder, 'dist/packages.json');
  const bundled = existsSync(file) ? BundledPackages.parse(JSON.parse(readFileSync(file, 'utf8'))) : [];
  return bundled.map(({ name, version, license }) =>
    library(name, version, `pkg:npm/${name.replace('@', '%40')}@${version}`, license),
  );
}

function debianPackages(status: string): Models.Component[] {
  return status
    .split(/\n\n+/)
    .filter((stanza) => /^Status: .* installed$/m.test(stanza))
    .map((stanza) => {
      const field = (name: string) => new RegExp(`^${name}: (.+)$`, 'm').exec(stanza)?.[1] ?? '';
      const [name, version] = [field('Package'), field('Version')];
      const purl = `pkg:deb/debian/${name}@${encodeURIComponent(version)}?arch=${field('Architecture')}`;
      return library(name, version, purl);
    });
}

function library(name: string, version: string, purl: string, license?: string): Models.Component {
  return new Models.Component(Enums.ComponentType.Library, name, {
    version,
    purl,
    bomRef: purl,
    licenses: new Models.LicenseRepository(
      license === undefined ? [] : [new Models.LicenseExpression(license)],
    ),
  });
}
